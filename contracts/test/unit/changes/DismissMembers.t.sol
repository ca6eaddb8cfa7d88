// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../../src/interfaces/ILeaseTypes.sol";
import {ChangeFixture} from "../../ChangeFixture.sol";

contract DismissMembersTest is ChangeFixture {
    uint256 private constant AT = START + 1000;

    function test_its_clock_ends_prepay_later() public {
        Live memory l = _dismissed(liveOf(2), 1);
        vm.assertEq(l.roster[0].until[0], AT + PREPAY, "until");
        vm.warp(AT + 10_000);
        checkpoint(rowOf(l, all(2, 1e9)));
        vm.assertEq(
            escrow.paidUnitsHash(l.d.leaseId), keccak256(abi.encode(1000 + PREPAY, 11_000 + PREPAY)), "each"
        );
    }

    function test_it_is_still_paid_its_last_voucher() public {
        Live memory l = _dismissed(liveOf(2), 1);
        vm.warp(AT + 5000);
        leaves(l, rowOf(l, all(2, 990)), 0, 990);
        uint256 charge = uint256(990) * RATE / 1e9;
        vm.assertEq(escrow.balanceOf(operatorOf(0)), charge - charge * FEE_BPS / 10_000, "paid");
        vm.assertEq(escrow.devicesInUse(agentKey(0)), 0, "free");
    }

    function test_its_devices_are_taken_until_it_leaves_or_the_lease_ends() public {
        Live memory l = _dismissed(liveOf(2), 1);
        vm.assertEq(escrow.devicesInUse(agentKey(0)), 1, "taken");
        vm.warp(START + 3 days);
        vm.assertEq(finalize(rowOf(l, all(2, 1e9))), 1, "ended");
        vm.assertEq(escrow.devicesInUse(agentKey(0)), 0, "free");
        vm.assertEq(
            escrow.lease(l.d.leaseId).charged,
            uint256(1000 + PREPAY) * RATE / 1e9 + uint256(MAX_SECONDS) * RATE / 1e9,
            "paid to the end of its clock"
        );
    }

    function test_its_signature_is_needed_to_close_until_it_left() public {
        Live memory l = _dismissed(liveOf(2), 1);
        vm.warp(AT + 500);
        uint96[] memory claimed = all(2, 1000);
        ILeaseTypes.Closing memory c = closingOf(l, rowOf(l, all(2, 1e9)), claimed);
        (bytes32 r, bytes32 vs) = (c.r[0], c.vs[0]);
        (c.r[0], c.vs[0]) = (0, 0);
        vm.assertEq(close(c), 0, "unsigned");
        (c.r[0], c.vs[0]) = (r, vs);
        vm.assertEq(close(c), 1, "signed");
    }

    function test_what_it_can_no_longer_cost_is_freed() public {
        Live memory l = liveOf(2);
        vm.warp(AT);
        ILeaseTypes.Change memory c = changeOf(l);
        c.dismissed = 1;
        c.deposit = _cost(1000 + PREPAY) + _cost(MAX_SECONDS) - 1;
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        vm.expectRevert(
            abi.encodeWithSelector(ILeaseTypes.DepositTooSmall.selector, c.deposit, c.deposit + 1)
        );
        vm.prank(renter);
        escrow.change(settlement, c, nobody(), noAsks(), "");
        c.deposit += 1;
        uint256 before = token.balanceOf(renter);
        change(l, c, nobody());
        vm.assertEq(token.balanceOf(renter) - before, l.d.order.deposit - c.deposit, "refunded");
        vm.assertEq(owed(l), c.deposit, "exactly covered");
    }

    /// @dev The point of it: one machine that fails is replaced, and the renter pays nothing in.
    function test_a_member_is_replaced_without_new_money() public {
        Live memory l = liveOf(2);
        vm.warp(AT);
        vm.prank(renter);
        escrow.withdraw(FUNDS);
        ILeaseTypes.Change memory c = changeOf(l);
        c.dismissed = 1;
        uint256 outside = token.balanceOf(renter);
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        uint96 needed = _cost(1000 + PREPAY) + _cost(MAX_SECONDS) + _cost(MAX_SECONDS - 1000);
        ILeaseTypes.MatchedAsk[] memory added = joining(2);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.DepositTooSmall.selector, c.deposit, needed));
        vm.prank(renter);
        escrow.change(settlement, c, added, noAsks(), "");
        leaves(l, rowOf(l, all(2, 1000)), 0, 900);
        c = changeOf(l);
        change(l, c, joining(2));
        vm.assertEq(token.balanceOf(renter), outside, "nothing paid in");
        vm.assertLe(owed(l), c.deposit, "covered");
        vm.warp(START + 3 days);
        vm.assertEq(finalize(rowOf(l, all(3, 1e9))), 1, "ended");
        uint256 charged = uint256(900) * RATE / 1e9 + uint256(MAX_SECONDS) * RATE / 1e9
            + uint256(MAX_SECONDS - 1000) * RATE / 1e9;
        vm.assertEq(escrow.lease(l.d.leaseId).charged, charged, "all three paid");
        vm.assertGe(escrow.balanceOf(operatorOf(2)), 1e6, "the new one too");
    }

    function test_all_can_be_dismissed() public {
        Live memory l = _dismissed(liveOf(3), 7);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit = owed(l);
        change(l, c, nobody());
        vm.warp(START + 3 days);
        finalize(rowOf(l, all(3, 1e9)));
        vm.assertEq(escrow.lease(l.d.leaseId).charged, 3 * (uint256(1000 + PREPAY) * RATE / 1e9), "charged");
    }

    function test_nobody_is_dismissed_twice_or_after_it_left() public {
        Live memory l = _dismissed(liveOf(3), 1);
        ILeaseTypes.Change memory c = changeOf(l);
        c.dismissed = 1;
        _refused(l, c);
        c.dismissed = 3;
        _refused(l, c);
        leaves(l, rowOf(l), 1, 0);
        c = changeOf(l);
        c.dismissed = 2;
        _refused(l, c);
        c.dismissed = 4;
        change(l, c, nobody());
    }

    function test_only_members_are_dismissed() public {
        Live memory l = liveOf(3);
        ILeaseTypes.Change memory c = changeOf(l);
        c.dismissed = 8;
        _refused(l, c);
        c.dismissed = 1 << 255;
        _refused(l, c);
        c.dismissed = type(uint256).max;
        _refused(l, c);
        c.dismissed = 7;
        change(l, c, nobody());
    }

    /// @dev Added and dismissed by one change is nobody: bits are of the members that are there.
    function test_who_joins_is_not_dismissed_at_once() public {
        Live memory l = liveOf(1);
        ILeaseTypes.Change memory c = changeOf(l);
        (c.dismissed, c.deposit) = (2, c.deposit + 100e6);
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        ILeaseTypes.MatchedAsk[] memory added = joining(1);
        vm.expectRevert(_outOfRange());
        vm.prank(renter);
        escrow.change(settlement, c, added, noAsks(), "");
    }

    function test_an_added_member_is_dismissed_by_a_later_change() public {
        Live memory l = liveOf(1);
        vm.warp(AT);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit += 100e6;
        change(l, c, joining(1));
        vm.warp(AT + 50);
        c = changeOf(l);
        c.dismissed = 2;
        change(l, c, nobody());
        vm.warp(AT + 1000);
        checkpoint(rowOf(l, all(2, 1e9)));
        vm.assertEq(
            escrow.paidUnitsHash(l.d.leaseId), keccak256(abi.encode(2000 + PREPAY, 50 + PREPAY)), "each"
        );
    }

    function test_a_stop_ends_clocks_before_a_dismissal_does() public {
        Live memory l = _dismissed(liveOf(1), 1);
        vm.prank(renter);
        escrow.stop(l.d.order, l.d.membersHash);
        vm.warp(AT + 1000);
        checkpoint(rowOf(l, all(1, 1e9)));
        vm.assertEq(escrow.paidUnitsHash(l.d.leaseId), keccak256(abi.encode(1000 + PREPAY)), "same second");
    }

    function _dismissed(Live memory l, uint256 bits) private returns (Live memory) {
        vm.warp(AT);
        ILeaseTypes.Change memory c = changeOf(l);
        c.dismissed = bits;
        change(l, c, nobody());
        return l;
    }

    function _cost(uint256 seconds_) private pure returns (uint96) {
        return uint96((seconds_ * RATE + 1e9 - 1) / 1e9);
    }

    function _outOfRange() private pure returns (bytes memory) {
        return abi.encodeWithSelector(ILeaseTypes.ChangeOutOfRange.selector, bytes32("dismissed"));
    }

    function _refused(Live memory l, ILeaseTypes.Change memory c) private {
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        vm.expectRevert(_outOfRange());
        vm.prank(renter);
        escrow.change(settlement, c, nobody(), noAsks(), "");
    }
}
