// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {EscrowFixture} from "../EscrowFixture.sol";

contract WithdrawTest is EscrowFixture {
    function setUp() public override {
        super.setUp();
        vm.prank(renter);
        escrow.deposit(10e6);
    }

    function test_sends_to_the_owner_and_lowers_its_balance() public {
        uint256 before = token.balanceOf(renter);
        vm.expectEmit(address(escrow));
        emit ILeaseTypes.Withdrawn(renter, 4e6);
        vm.prank(renter);
        escrow.withdraw(4e6);
        vm.assertEq(escrow.balanceOf(renter), 6e6, "left");
        vm.assertEq(token.balanceOf(renter) - before, 4e6, "sent");
    }

    function test_everything_can_be_taken_out_and_put_in_again() public {
        vm.startPrank(renter);
        escrow.withdraw(10e6);
        vm.assertEq(escrow.balanceOf(renter), 0, "empty");
        escrow.deposit(3e6);
        vm.assertEq(escrow.balanceOf(renter), 3e6, "again");
    }

    function test_reverts_beyond_the_balance() public {
        vm.expectRevert(
            abi.encodeWithSelector(ILeaseTypes.InsufficientBalance.selector, renter, 10e6, 10e6 + 1)
        );
        vm.prank(renter);
        escrow.withdraw(10e6 + 1);
    }

    function test_reverts_for_amounts_that_would_wrap_into_the_flags() public {
        vm.expectRevert(
            abi.encodeWithSelector(ILeaseTypes.InsufficientBalance.selector, renter, 10e6, type(uint256).max)
        );
        vm.prank(renter);
        escrow.withdraw(type(uint256).max);
    }

    function test_a_stranger_has_nothing_to_take() public {
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.InsufficientBalance.selector, relayer, 0, 1));
        vm.prank(relayer);
        escrow.withdraw(1);
    }
}
