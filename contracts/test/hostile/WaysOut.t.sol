// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {HostileFixture} from "./HostileFixture.sol";
import {HostileToken} from "./HostileToken.sol";

/// @notice A token that refuses somebody, or everybody: at every exit, it holds up nobody else and takes nothing away.
contract WaysOutTest is HostileFixture {
    uint40 private constant DEADLINE = type(uint40).max;

    function test_a_refused_owner_withdraws_to_another_address() public {
        hostile.refuse(renter, true);
        vm.expectRevert();
        vm.prank(renter);
        escrow.withdraw(5e6);
        vm.assertEq(escrow.balanceOf(renter), FUNDS, "kept");
        bytes memory signature = _withdrawal(relayer, 5e6);
        escrow.withdrawFor(renter, relayer, 5e6, DEADLINE, signature);
        vm.assertEq(token.balanceOf(relayer), 5e6, "elsewhere");
    }

    function test_a_refused_target_takes_neither_money_nor_nonce() public {
        hostile.refuse(relayer, true);
        bytes memory signature = _withdrawal(relayer, 5e6);
        vm.expectRevert();
        escrow.withdrawFor(renter, relayer, 5e6, DEADLINE, signature);
        vm.assertEq(escrow.balanceOf(renter), FUNDS, "kept");
        vm.assertEq(nonceOf(renter), 0, "unused");
        hostile.refuse(relayer, false);
        escrow.withdrawFor(renter, relayer, 5e6, DEADLINE, signature);
    }

    function test_withdrawals_that_return_false_revert() public {
        hostile.set(HostileToken.Mode.RETURNS_FALSE);
        vm.expectRevert();
        vm.prank(renter);
        escrow.withdraw(5e6);
        bytes memory signature = _withdrawal(relayer, 5e6);
        vm.expectRevert();
        escrow.withdrawFor(renter, relayer, 5e6, DEADLINE, signature);
        vm.assertEq(escrow.balanceOf(renter), FUNDS, "kept");
    }

    function test_what_a_change_frees_stays_here_for_a_refused_renter() public {
        Live memory l = liveOf(2);
        leaves(l, rowOf(l), 0, 0);
        hostile.refuse(renter, true);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit = owed(l);
        uint256 freed = l.d.order.deposit - c.deposit;
        change(l, c, nobody());
        vm.assertEq(escrow.balanceOf(renter), FUNDS + freed, "kept");
    }

    function test_members_leave_though_operator_and_treasury_are_refused() public {
        Live memory l = liveOf(2);
        vm.warp(START + 100);
        hostile.refuse(operatorOf(0), true);
        hostile.refuse(treasury, true);
        hostile.refuse(renter, true);
        leaves(l, rowOf(l, all(2, 100)), 0, 100);
        leaves(l, rowOf(l, all(2, 100)), 1, 100);
        vm.assertEq(
            close(ILeaseTypes.Closing(rowOf(l), l.paid, new bytes32[](2), new bytes32[](2))), 1, "closed"
        );
        uint256 charged = escrow.lease(l.d.leaseId).charged;
        vm.assertEq(escrow.balanceOf(renter), FUNDS + l.d.order.deposit - charged, "refund kept");
        address[] memory owners = new address[](3);
        (owners[0], owners[1], owners[2]) = (operatorOf(0), operatorOf(1), treasury);
        uint256 each = escrow.balanceOf(operatorOf(0));
        escrow.sweep(owners);
        vm.assertEq(escrow.balanceOf(operatorOf(0)), each, "kept");
        vm.assertEq(token.balanceOf(operatorOf(1)), each, "delivered");
        vm.assertGe(escrow.balanceOf(treasury), 1, "kept");
    }

    function test_leases_of_a_session_end_whoever_is_refused() public {
        grant(grantOf(renter));
        Live memory l = liveBySession(1);
        hostile.refuse(renter, true);
        hostile.refuse(address(escrow), true);
        vm.warp(START + 100);
        vm.assertEq(close(closingOf(l, rowOf(l, all(1, 100)), all(1, 100))), 1, "closed");
        vm.assertEq(escrow.balanceOf(renter), FUNDS - escrow.lease(l.d.leaseId).charged, "in the balance");
    }

    function test_a_refused_renter_ends_its_lease_by_every_way() public {
        Live memory finalized = liveOf(1);
        Live memory closed = liveOf(1);
        Live memory left = liveOf(1);
        uint256 deposits = uint256(finalized.d.order.deposit) * 3;
        hostile.refuse(renter, true);
        vm.prank(renter);
        escrow.stop(finalized.d.order, finalized.d.membersHash);
        vm.warp(START + 1 days);
        vm.assertEq(finalize(rowOf(finalized)), 1, "finalized");
        vm.assertEq(close(closingOf(closed, rowOf(closed), all(1, 0))), 1, "closed");
        leaves(left, rowOf(left), 0, 0);
        vm.assertEq(
            close(ILeaseTypes.Closing(rowOf(left), all(1, 0), new bytes32[](1), new bytes32[](1))), 1, "left"
        );
        vm.assertEq(escrow.balanceOf(renter), FUNDS + deposits, "all kept");
        bytes memory signature = _withdrawal(relayer, FUNDS + deposits);
        escrow.withdrawFor(renter, relayer, FUNDS + deposits, DEADLINE, signature);
        vm.assertEq(token.balanceOf(relayer), FUNDS + deposits, "and taken out elsewhere");
    }

    function test_a_paused_token_holds_up_no_lease() public {
        Live memory l = liveOf(2);
        vm.warp(START + 100);
        hostile.set(HostileToken.Mode.PAUSED);
        vm.assertEq(checkpoint(rowOf(l, all(2, 60))), 1, "paid");
        l.paid = all(2, 60);
        leaves(l, rowOf(l), 0, 60);
        vm.assertEq(close(closingOf(l, rowOf(l), all(2, 60))), 1, "closed");
        uint256 refund = l.d.order.deposit - escrow.lease(l.d.leaseId).charged;
        vm.assertEq(escrow.balanceOf(renter), FUNDS + refund, "kept");
        hostile.set(HostileToken.Mode.HONEST);
        vm.prank(renter);
        escrow.withdraw(FUNDS + refund);
    }

    /// @dev The escrow owes what it counted: a fee on the way out is the receiver's loss alone.
    function test_a_fee_that_starts_later_is_taken_from_the_receiver_alone() public {
        Live memory l = liveOf(1);
        hostile.set(HostileToken.Mode.TAKES_A_FEE);
        uint256 before = token.balanceOf(renter);
        vm.assertEq(close(closingOf(l, rowOf(l), all(1, 0))), 1, "closed");
        uint256 deposit = l.d.order.deposit;
        vm.assertEq(token.balanceOf(renter) - before, deposit - deposit / 100, "less the fee");
        vm.assertEq(token.balanceOf(address(escrow)), FUNDS, "the rest is whole");
    }

    function _withdrawal(address to, uint256 amount) private view returns (bytes memory) {
        return sign(RENTER_KEY, digests.hashWithdraw(renter, to, amount, nonceOf(renter), DEADLINE));
    }
}
