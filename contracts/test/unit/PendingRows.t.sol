// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {ChangeFixture} from "../ChangeFixture.sol";

/// @notice Rows that wait to be mined while somebody posts their voucher first.
contract PendingRowsTest is ChangeFixture {
    function test_a_close_whose_voucher_was_posted_first_still_closes() public {
        Live memory l = liveOf(2);
        vm.warp(START + 300);
        ILeaseTypes.Closing memory pending = closingOf(l, rowOf(l, all(2, 300)), all(2, 300));
        vm.assertEq(checkpoint(rowOf(l, all(2, 300))), 1, "posted first");
        vm.warp(START + 312);
        vm.assertEq(close(pending), 1, "closed");
        vm.assertEq(escrow.lease(l.d.leaseId).charged, 2 * (uint256(300) * RATE / 1e9), "paid once");
    }

    function test_a_later_close_knows_what_was_paid_before_its_own_voucher() public {
        Live memory l = liveOf(2);
        vm.warp(START + 100);
        checkpoint(rowOf(l, all(2, 100)));
        l.paid = all(2, 100);
        vm.warp(START + 300);
        ILeaseTypes.Closing memory pending = closingOf(l, rowOf(l, all(2, 300)), all(2, 300));
        checkpoint(rowOf(l, all(2, 300)));
        vm.assertEq(close(pending), 1, "closed");
        vm.assertEq(escrow.lease(l.d.leaseId).charged, 2 * (uint256(300) * RATE / 1e9), "paid once");
    }

    /// @dev The clock cut the voucher when it was posted, and cuts it the same when it is reckoned again.
    function test_a_voucher_that_the_clock_cut_when_it_was_posted() public {
        Live memory l = liveOf(2);
        vm.warp(START + 300);
        ILeaseTypes.Settlement memory pending = rowOf(l, all(2, 1e9));
        checkpoint(pending);
        vm.warp(START + 400);
        vm.assertEq(checkpoint(pending), 1, "goes on");
        vm.assertEq(escrow.lease(l.d.leaseId).charged, 2 * (uint256(430) * RATE / 1e9), "up to now");
        vm.assertEq(checkpoint(pending), 0, "nothing new");
        vm.warp(START + 3 days);
        vm.assertEq(finalize(pending), 1, "and to the end");
        vm.assertEq(escrow.lease(l.d.leaseId).charged, 2 * (uint256(MAX_SECONDS) * RATE / 1e9), "all of it");
    }

    function test_a_stop_in_between_changes_nothing() public {
        Live memory l = liveOf(1);
        vm.warp(START + 300);
        ILeaseTypes.Settlement memory pending = rowOf(l, all(1, 1e9));
        checkpoint(pending);
        vm.warp(START + 350);
        vm.prank(renter);
        escrow.stop(l.d.order, l.d.membersHash);
        vm.warp(START + 3 days);
        vm.assertEq(finalize(pending), 1, "ended");
        vm.assertEq(escrow.lease(l.d.leaseId).charged, uint256(380) * RATE / 1e9, "up to the stop and prepay");
    }

    function test_a_member_may_leave_though_its_voucher_was_posted_first() public {
        Live memory l = liveOf(2);
        vm.warp(START + 300);
        ILeaseTypes.Leaving memory pending = leavingOf(l, rowOf(l, all(2, 300)), 0, 300);
        checkpoint(rowOf(l, all(2, 300)));
        vm.assertEq(leave(pending), 1, "left");
        vm.assertEq(escrow.paidUnitsHash(l.d.leaseId), keccak256(abi.encode(300, 300)), "paid once");
    }

    function test_a_changed_lease_may_be_waited_for_too() public {
        Live memory l = liveOf(1);
        vm.warp(START + 100);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit += 100e6;
        change(l, c, joining(1));
        vm.warp(START + 300);
        ILeaseTypes.Settlement memory pending = rowOf(l, all(2, 1e9));
        checkpoint(pending);
        vm.warp(START + 400);
        vm.assertEq(checkpoint(pending), 1, "goes on");
        vm.assertEq(escrow.paidUnitsHash(l.d.leaseId), keccak256(abi.encode(430, 330)), "each by its clock");
    }

    function test_what_was_paid_by_another_voucher_has_to_be_known() public {
        Live memory l = liveOf(2);
        vm.warp(START + 300);
        ILeaseTypes.Settlement memory pending = rowOf(l, all(2, 300));
        checkpoint(rowOf(l, all(2, 200)));
        vm.assertEq(checkpoint(pending), 0, "skipped");
        vm.assertEq(close(closingOf(l, pending, all(2, 300))), 0, "skipped");
        vm.assertEq(leave(leavingOf(l, pending, 0, 300)), 0, "skipped");
        l.paid = all(2, 200);
        vm.assertEq(checkpoint(rowOf(l, all(2, 300))), 1, "known");
    }

    function test_the_last_state_but_one_is_skipped() public {
        Live memory l = liveOf(1);
        vm.warp(START + 300);
        checkpoint(rowOf(l, all(1, 100)));
        l.paid = all(1, 100);
        checkpoint(rowOf(l, all(1, 200)));
        l.paid = new uint96[](0);
        vm.assertEq(checkpoint(rowOf(l, all(1, 300))), 0, "nothing paid");
        l.paid = all(1, 100);
        vm.assertEq(checkpoint(rowOf(l, all(1, 300))), 0, "the one before");
        vm.assertEq(close(closingOf(l, rowOf(l), all(1, 100))), 0, "without a voucher");
        vm.assertEq(finalize(rowOf(l)), 0, "without a voucher");
        l.paid = all(1, 200);
        vm.assertEq(checkpoint(rowOf(l, all(1, 300))), 1, "the last");
    }

    /// @dev A voucher that nobody signed cannot make a false record true: it only has to lead to what was recorded.
    function test_an_unsigned_voucher_finds_the_record_and_moves_nothing() public {
        Live memory l = liveOf(1);
        vm.warp(START + 300);
        checkpoint(rowOf(l, all(1, 200)));
        ILeaseTypes.Settlement memory unsigned = rowOf(l, all(1, 200));
        unsigned.voucher.r = 0;
        vm.assertEq(checkpoint(unsigned), 0, "nothing new");
        vm.warp(START + 3 days);
        vm.assertEq(finalize(unsigned), 1, "as good as none");
        vm.assertEq(escrow.lease(l.d.leaseId).charged, uint256(200) * RATE / 1e9, "what was paid before");
    }
}
