// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseCore} from "../../src/interfaces/ILeaseCore.sol";
import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {IOperators} from "../../src/interfaces/IOperators.sol";
import {EscrowFixture} from "../EscrowFixture.sol";
import {HostileToken} from "./HostileToken.sol";

contract HostileTokenTest is EscrowFixture {
    HostileToken private _token;

    function setUp() public override {
        vm.warp(START);
        deployAll("HostileToken.sol:HostileToken");
        _token = HostileToken(payable(address(token)));
        joinAgents(0, 4);
        fund(renter, 1e15);
    }

    // ---------------------------------------------------------------- returns

    function test_a_token_that_returns_false_opens_nothing() public {
        Deal memory d = dealOf(1);
        _token.set(HostileToken.Mode.RETURNS_FALSE);
        vm.expectRevert();
        vm.prank(renter);
        escrow.open(d.order, d.asks);
        vm.expectRevert();
        vm.prank(renter);
        escrow.deposit(1e6);
        vm.expectRevert();
        vm.prank(renter);
        operators.stake(1e6);
    }

    function test_a_refund_that_returns_false_stays_here_for_the_renter() public {
        Deal memory d = opened(1);
        vm.warp(START + 100);
        ILeaseTypes.Closing memory c = closing(d, row(d, all(1, 100)), all(1, 100));
        _token.set(HostileToken.Mode.RETURNS_FALSE);
        uint256 refund = d.order.deposit - uint256(100) * RATE / 1e9;
        vm.expectEmit(address(escrow));
        emit ILeaseTypes.Deposited(renter, refund);
        vm.assertEq(close(c), 1, "closed");
        vm.assertEq(escrow.balanceOf(renter), refund, "kept");
    }

    function test_a_token_that_returns_nothing_works() public {
        _token.set(HostileToken.Mode.RETURNS_NOTHING);
        vm.prank(renter);
        escrow.deposit(1e6);
        vm.prank(renter);
        escrow.withdraw(1e6);
        Deal memory d = opened(2);
        vm.warp(START + 100);
        uint256 before = token.balanceOf(renter);
        vm.assertEq(close(closing(d, row(d, all(2, 100)), all(2, 100))), 1, "closed");
        uint256 charged = escrow.lease(d.leaseId).charged;
        vm.assertEq(token.balanceOf(renter) - before, d.order.deposit - charged, "refund");
        address[] memory owners = new address[](1);
        owners[0] = operatorOf(0);
        escrow.sweep(owners);
        vm.assertEq(escrow.balanceOf(operatorOf(0)), 0, "swept");
    }

    // ---------------------------------------------------------------- amounts

    function test_a_token_that_takes_a_fee_is_refused_on_the_way_in() public {
        Deal memory d = dealOf(1);
        _token.set(HostileToken.Mode.TAKES_A_FEE);
        uint256 deposit = d.order.deposit;
        bytes memory notExact =
            abi.encodeWithSelector(ILeaseTypes.TokenNotExact.selector, deposit - deposit / 100, deposit);
        vm.expectRevert(notExact);
        vm.prank(renter);
        escrow.open(d.order, d.asks);
        vm.expectRevert(notExact);
        vm.prank(renter);
        escrow.openWithPermit(d.order, d.asks, 0, 0, 0, 0);
        vm.expectRevert(notExact);
        vm.prank(renter);
        escrow.deposit(deposit);
        vm.startPrank(renter);
        token.approve(address(operators), 100);
        vm.expectRevert(abi.encodeWithSelector(IOperators.TokenNotExact.selector, 99, 100));
        operators.stake(100);
    }

    function test_an_authorization_that_moves_nothing_opens_nothing() public {
        Deal memory d = dealOf(1);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.TokenNotExact.selector, 0, d.order.deposit));
        escrow.openWithAuthorization(d.order, d.asks, 0, type(uint256).max, 27, 0, 0);
    }

    // ---------------------------------------------------------------- refusals

    function test_a_refused_renter_holds_up_nobody() public {
        Deal memory d = opened(2);
        Deal memory other = opened(1);
        vm.warp(START + 100);
        _token.refuse(renter, true);
        ILeaseTypes.Closing[] memory rows = new ILeaseTypes.Closing[](2);
        rows[0] = closing(d, row(d, all(2, 100)), all(2, 100));
        rows[1] = closing(other, row(other, all(1, 100)), all(1, 100));
        vm.assertEq(escrow.close(rows), 2, "closed");
        uint256 refund = uint256(d.order.deposit) + other.order.deposit - escrow.lease(d.leaseId).charged
            - escrow.lease(other.leaseId).charged;
        vm.assertEq(escrow.balanceOf(renter), refund, "kept");

        address[] memory owners = new address[](2);
        (owners[0], owners[1]) = (renter, operatorOf(0));
        escrow.sweep(owners);
        vm.assertEq(escrow.balanceOf(renter), refund, "still kept");
        vm.assertEq(escrow.balanceOf(operatorOf(0)), 0, "operator swept");
        _token.refuse(renter, false);
        uint256 before = token.balanceOf(renter);
        escrow.sweep(owners);
        vm.assertEq(token.balanceOf(renter) - before, refund, "delivered when the token allows");
    }

    function test_a_refused_operator_holds_up_nobody() public {
        Deal memory d = opened(2);
        vm.warp(START + 100);
        _token.refuse(operatorOf(0), true);
        _token.refuse(treasury, true);
        vm.assertEq(close(closing(d, row(d, all(2, 100)), all(2, 100))), 1, "closed");
        address[] memory owners = new address[](3);
        (owners[0], owners[1], owners[2]) = (operatorOf(0), operatorOf(1), treasury);
        uint256 earned = escrow.balanceOf(operatorOf(0));
        escrow.sweep(owners);
        vm.assertEq(escrow.balanceOf(operatorOf(0)), earned, "kept");
        vm.assertEq(token.balanceOf(operatorOf(1)), earned, "delivered");
    }

    // ---------------------------------------------------------------- calling back

    function test_a_refund_that_calls_back_is_paid_once() public {
        Deal memory d = opened(1);
        vm.warp(START + 100);
        ILeaseTypes.Closing[] memory rows = new ILeaseTypes.Closing[](1);
        rows[0] = closing(d, row(d, all(1, 100)), all(1, 100));
        _token.callBack(address(escrow), abi.encodeCall(ILeaseCore.close, (rows)));
        uint256 before = token.balanceOf(renter);
        vm.assertEq(escrow.close(rows), 1, "closed");
        vm.assertEq(_token.calls(), 1, "called back");
        vm.assertEq(
            token.balanceOf(renter) - before, d.order.deposit - escrow.lease(d.leaseId).charged, "once"
        );
    }

    function test_stake_that_calls_back_is_counted_once() public {
        vm.prank(renter);
        token.approve(address(operators), 100);
        _token.callBack(address(operators), abi.encodeCall(IOperators.stake, (100)));
        vm.prank(renter);
        operators.stake(100);
        vm.assertFalse(_token.callSucceeded(), "got in");
        vm.assertEq(operators.account(renter).stake, 100, "once");
        vm.assertEq(operators.account(address(token)).stake, 0, "nothing for the token");
    }
}
