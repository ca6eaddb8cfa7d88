// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {EscrowFixture} from "../EscrowFixture.sol";

contract FinalizeTest is EscrowFixture {
    function test_after_the_window_of_a_stopped_lease_anybody_ends_it() public {
        Deal memory d = opened(2);
        vm.warp(START + 100);
        vm.prank(renter);
        escrow.stop(d.order, d.membersHash);
        uint256 before = token.balanceOf(renter);
        vm.warp(START + 100 + CLOSE_WINDOW);
        vm.assertEq(finalize(rowWithoutVoucher(d, new uint96[](0))), 0, "in its last second");
        vm.warp(START + 100 + CLOSE_WINDOW + 1);
        vm.expectEmit(address(escrow));
        emit ILeaseTypes.Closed(d.leaseId, 0, d.order.deposit);
        vm.prank(relayer);
        vm.assertEq(finalize(rowWithoutVoucher(d, new uint96[](0))), 1, "after it");
        vm.assertEq(token.balanceOf(renter) - before, d.order.deposit, "refund");
        vm.assertEq(escrow.devicesInUse(agentKey(0)), 0, "devices are free");
        vm.assertTrue(escrow.lease(d.leaseId).state == ILeaseTypes.State.CLOSED, "closed");
    }

    function test_after_the_window_of_a_lease_that_ended_anybody_ends_it() public {
        Deal memory d = opened(1);
        vm.warp(START + MAX_SECONDS + CLOSE_WINDOW);
        vm.assertEq(finalize(rowWithoutVoucher(d, new uint96[](0))), 0, "in its last second");
        vm.warp(START + MAX_SECONDS + CLOSE_WINDOW + 1);
        vm.assertEq(finalize(rowWithoutVoucher(d, new uint96[](0))), 1, "after it");
    }

    function test_a_stop_after_the_end_does_not_prolong_the_window() public {
        Deal memory d = opened(1);
        vm.warp(START + MAX_SECONDS + 30 minutes);
        vm.prank(renter);
        escrow.stop(d.order, d.membersHash);
        vm.warp(START + MAX_SECONDS + CLOSE_WINDOW + 1);
        vm.assertEq(finalize(rowWithoutVoucher(d, new uint96[](0))), 1, "ended");
    }

    function test_a_last_voucher_is_still_paid() public {
        Deal memory d = opened(2);
        vm.warp(START + 100);
        vm.prank(meter);
        escrow.stop(d.order, d.membersHash);
        vm.warp(START + 2 days);
        vm.assertEq(finalize(row(d, all(2, 1e9))), 1, "ended");
        uint256 each = uint256(100 + PREPAY) * RATE / 1e9;
        vm.assertEq(escrow.lease(d.leaseId).charged, 2 * each, "up to the stop and prepay");
        vm.assertEq(escrow.balanceOf(operatorOf(1)), each - each * FEE_BPS / 10_000, "credited");
    }

    function test_after_a_checkpoint_the_record_is_cleared() public {
        Deal memory d = opened(1);
        vm.warp(START + 300);
        checkpoint(row(d, all(1, 200)));
        vm.warp(START + 3 days);
        vm.assertEq(finalize(rowWithoutVoucher(d, all(1, 200))), 1, "ended");
        vm.assertEq(escrow.paidUnitsHash(d.leaseId), 0, "cleared");
        vm.assertEq(escrow.lease(d.leaseId).charged, uint256(200) * RATE / 1e9, "what was paid before");
    }

    function test_rows_that_are_wrong_are_skipped() public {
        Deal memory d = opened(2);
        vm.warp(START + 300);
        checkpoint(row(d, all(2, 200)));
        vm.warp(START + 3 days);
        ILeaseTypes.Settlement memory wrong = row(d, all(2, 200), all(2, 300));
        wrong.voucher.r = 0;
        vm.assertEq(finalize(wrong), 0, "a voucher of nobody");
        vm.assertEq(finalize(row(d, all(2, 200), all(3, 300))), 0, "too many units");
        vm.assertEq(finalize(row(d, all(2, 199), all(2, 300))), 0, "paid units that were not recorded");
        wrong = rowWithoutVoucher(d, new uint96[](0));
        vm.assertEq(finalize(wrong), 0, "paid units left out");
        wrong = row(d, all(2, 200), all(2, 300));
        wrong.order.renter = relayer;
        vm.assertEq(finalize(wrong), 0, "another renter");
        vm.assertEq(finalize(row(d, all(2, 200), all(2, 300))), 1, "right");
        vm.assertEq(finalize(row(d, all(2, 200), all(2, 300))), 0, "once");
    }
}
