// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {EscrowFixture} from "../EscrowFixture.sol";

contract SweepTest is EscrowFixture {
    uint256 private constant EARNED_BY_EACH = 55_277_778; // 100 s of 1,000 devices at RATE, less 0.5 %

    function setUp() public override {
        super.setUp();
        ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](2);
        asks[0] = matched(0, askOf(0), 1000);
        asks[1] = matched(1, askOf(1), 1000);
        Deal memory d = deal(orderFor(asks), asks);
        open(d);
        vm.warp(START + 100);
        checkpoint(row(d, all(2, 100_000)));
    }

    function test_anybody_pushes_earnings_to_their_owners() public {
        address[] memory owners = new address[](3);
        (owners[0], owners[1], owners[2]) = (operatorOf(0), treasury, operatorOf(1));
        uint256 fees = escrow.balanceOf(treasury);
        vm.prank(relayer);
        escrow.sweep(owners);
        vm.assertEq(token.balanceOf(operatorOf(0)), EARNED_BY_EACH, "first");
        vm.assertEq(token.balanceOf(operatorOf(1)), EARNED_BY_EACH, "second");
        vm.assertEq(token.balanceOf(treasury), fees, "treasury");
        vm.assertEq(escrow.balanceOf(operatorOf(0)), 0, "nothing left");
    }

    function test_announces_each_push() public {
        address[] memory owners = new address[](1);
        owners[0] = operatorOf(0);
        vm.expectEmit(address(escrow));
        emit ILeaseTypes.Withdrawn(operatorOf(0), EARNED_BY_EACH);
        escrow.sweep(owners);
    }

    function test_naming_an_owner_twice_pays_once() public {
        address[] memory owners = new address[](2);
        (owners[0], owners[1]) = (operatorOf(0), operatorOf(0));
        escrow.sweep(owners);
        vm.assertEq(token.balanceOf(operatorOf(0)), EARNED_BY_EACH, "once");
    }

    function test_leaves_out_the_balance_of_a_depositor() public {
        vm.prank(renter);
        escrow.deposit(5e6);
        address[] memory owners = new address[](2);
        (owners[0], owners[1]) = (renter, operatorOf(0));
        vm.prank(relayer);
        escrow.sweep(owners);
        vm.assertEq(escrow.balanceOf(renter), 5e6, "kept");
        vm.assertEq(token.balanceOf(operatorOf(0)), EARNED_BY_EACH, "others go on");
    }

    function test_a_depositor_sweeps_itself() public {
        vm.prank(renter);
        escrow.deposit(5e6);
        address[] memory owners = new address[](1);
        owners[0] = renter;
        uint256 before = token.balanceOf(renter);
        vm.prank(renter);
        escrow.sweep(owners);
        vm.assertEq(token.balanceOf(renter) - before, 5e6, "taken out");
    }
}
