// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {EscrowFixture} from "../EscrowFixture.sol";

contract CloseTest is EscrowFixture {
    function test_pays_the_claims_takes_the_fee_and_refunds_the_rest() public {
        Deal memory d = opened(2);
        vm.warp(START + 3600);
        uint256 before = token.balanceOf(renter);
        uint96[] memory claimed = new uint96[](2);
        (claimed[0], claimed[1]) = (3600, 1800);
        ILeaseTypes.Closing memory c = closing(d, row(d, all(2, 3600)), claimed);
        vm.expectEmit(address(escrow));
        emit ILeaseTypes.Paid(d.leaseId, claimed, 3_000_000);
        vm.expectEmit(address(escrow));
        emit ILeaseTypes.Closed(d.leaseId, 3_000_000, d.order.deposit - 3_000_000);
        vm.assertEq(close(c), 1, "closed");

        vm.assertEq(escrow.balanceOf(operatorOf(0)), 1_990_000, "first");
        vm.assertEq(escrow.balanceOf(operatorOf(1)), 995_000, "second");
        vm.assertEq(escrow.balanceOf(treasury), 15_000, "fee");
        vm.assertEq(token.balanceOf(renter) - before, d.order.deposit - 3_000_000, "refund");
        vm.assertTrue(escrow.lease(d.leaseId).state == ILeaseTypes.State.CLOSED, "closed");
        vm.assertEq(escrow.lease(d.leaseId).charged, 3_000_000, "charged");
        vm.assertEq(escrow.devicesInUse(agentKey(0)), 0, "devices are free");
    }

    function test_time_paid_in_advance_and_not_claimed_is_refunded() public {
        Deal memory d = opened(1);
        vm.warp(START + 100);
        close(closing(d, row(d, all(1, 130)), all(1, 101)));
        vm.assertEq(escrow.lease(d.leaseId).charged, uint256(101) * RATE / 1e9, "what was claimed");
    }

    function test_after_a_checkpoint_it_pays_the_difference_and_clears_the_record() public {
        Deal memory d = opened(2);
        vm.warp(START + 300);
        checkpoint(row(d, all(2, 200)));
        vm.assertEq(close(closing(d, row(d, all(2, 200), all(2, 300)), all(2, 250))), 1, "closed");
        vm.assertEq(escrow.lease(d.leaseId).charged, 2 * (uint256(250) * RATE / 1e9), "charged");
        vm.assertEq(escrow.paidUnitsHash(d.leaseId), 0, "cleared");
        vm.assertEq(token.balanceOf(address(escrow)), escrow.lease(d.leaseId).charged, "rest is back");
    }

    function test_agents_that_never_got_a_voucher_can_leave_unpaid() public {
        Deal memory d = opened(2);
        uint256 before = token.balanceOf(renter);
        vm.assertEq(close(closing(d, rowWithoutVoucher(d, new uint96[](0)), all(2, 0))), 1, "closed");
        vm.assertEq(token.balanceOf(renter) - before, d.order.deposit, "all back");
        vm.assertEq(escrow.devicesInUse(agentKey(1)), 0, "devices are free");
    }

    function test_without_a_voucher_nothing_more_than_was_paid_is_claimed() public {
        Deal memory d = opened(1);
        vm.warp(START + 300);
        vm.assertEq(close(closing(d, rowWithoutVoucher(d, new uint96[](0)), all(1, 1))), 0, "skipped");
        checkpoint(row(d, all(1, 200)));
        vm.assertEq(close(closing(d, rowWithoutVoucher(d, all(1, 200)), all(1, 201))), 0, "skipped");
        vm.assertEq(close(closing(d, rowWithoutVoucher(d, all(1, 200)), all(1, 200))), 1, "closed");
    }

    function test_claims_beyond_voucher_or_clock_are_skipped() public {
        Deal memory d = opened(2);
        vm.warp(START + 100);
        vm.assertEq(close(closing(d, row(d, all(2, 50)), all(2, 51))), 0, "beyond the voucher");
        vm.assertEq(close(closing(d, row(d, all(2, 1e9)), all(2, 131))), 0, "beyond the clock");
        uint96[] memory claimed = all(2, 130);
        claimed[1] = type(uint96).max;
        vm.assertEq(close(closing(d, row(d, all(2, type(uint96).max)), claimed)), 0, "extreme");
        vm.assertEq(close(closing(d, row(d, all(2, 1e9)), all(2, 130))), 1, "right");
    }

    /// @dev Vouchers run ahead of delivery: whoever posts one before a pending closing must not spoil it.
    function test_a_claim_below_what_was_paid_ends_the_lease_and_takes_nothing_back() public {
        Deal memory d = opened(2);
        vm.warp(START + 300);
        checkpoint(row(d, all(2, 200)));
        uint96[] memory claimed = all(2, 200);
        claimed[1] = 150;
        uint256 charged = escrow.lease(d.leaseId).charged;
        vm.assertEq(close(closing(d, row(d, all(2, 200), all(2, 300)), claimed)), 1, "closed");
        vm.assertEq(escrow.lease(d.leaseId).charged, charged, "neither more nor less");
    }

    function test_every_agent_has_to_sign_its_own_claim() public {
        Deal memory d = opened(2);
        vm.warp(START + 100);
        ILeaseTypes.Closing memory c = closing(d, row(d, all(2, 100)), all(2, 100));
        (bytes32 r, bytes32 vs) = (c.r[1], c.vs[1]);
        (c.r[1], c.vs[1]) = (c.r[0], c.vs[0]);
        vm.assertEq(close(c), 0, "another agent's signature");
        (c.r[1], c.vs[1]) = (0, 0);
        vm.assertEq(close(c), 0, "none");
        (c.r[1], c.vs[1]) = vm.signCompact(METER_KEY, digests.hashClose(d.leaseId, 1, 100));
        vm.assertEq(close(c), 0, "the meter's");
        (c.r[1], c.vs[1]) = vm.signCompact(agentSecret(1), digests.hashClose(d.leaseId, 1, 99));
        vm.assertEq(close(c), 0, "for other units");
        (c.r[1], c.vs[1]) = vm.signCompact(agentSecret(1), digests.hashClose(keccak256("other"), 1, 100));
        vm.assertEq(close(c), 0, "for another lease");
        (c.r[1], c.vs[1]) = (r, vs);
        vm.assertEq(close(c), 1, "its own");
    }

    function test_rows_that_are_wrong_are_skipped() public {
        Deal memory d = opened(2);
        vm.warp(START + 100);
        ILeaseTypes.Closing memory c = closing(d, row(d, all(2, 100)), all(2, 100));
        c.settlement.order.salt += 1;
        vm.assertEq(close(c), 0, "another order");
        c.settlement.order.salt -= 1;
        c.settlement.paidUnits = all(2, 0);
        vm.assertEq(close(c), 0, "paid units that were not recorded");
        c.settlement.paidUnits = new uint96[](0);
        bytes32 r = c.settlement.voucher.r;
        c.settlement.voucher.r = 0;
        vm.assertEq(close(c), 0, "a voucher of nobody");
        c.settlement.voucher.r = r;
        c.claimed = all(1, 100);
        vm.assertEq(close(c), 0, "too few claims");
        c.claimed = all(2, 100);
        bytes32[] memory short = new bytes32[](1);
        bytes32[] memory kept = c.r;
        c.r = short;
        vm.assertEq(close(c), 0, "too few r");
        (c.r, kept) = (kept, c.vs);
        c.vs = short;
        vm.assertEq(close(c), 0, "too few vs");
        c.vs = kept;
        vm.assertEq(close(c), 1, "right");
    }

    function test_closes_once() public {
        Deal memory d = opened(1);
        vm.warp(START + 100);
        ILeaseTypes.Closing[] memory rows = new ILeaseTypes.Closing[](2);
        rows[0] = closing(d, row(d, all(1, 100)), all(1, 100));
        rows[1] = rows[0];
        vm.assertEq(escrow.close(rows), 1, "once in a batch");
        vm.assertEq(escrow.close(rows), 0, "and never again");
    }

    function test_a_stopping_lease_closes() public {
        Deal memory d = opened(1);
        vm.warp(START + 100);
        vm.prank(renter);
        escrow.stop(d.order, d.membersHash);
        vm.assertEq(close(closing(d, row(d, all(1, 100)), all(1, 100))), 1, "closed");
    }

    function test_one_agent_twice_in_a_lease_frees_all_its_devices() public {
        ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](2);
        (asks[0], asks[1]) = (matched(0, askOf(0), 2), matched(0, askOf(0), 3));
        Deal memory d = deal(orderFor(asks), asks);
        open(d);
        vm.warp(START + 100);
        ILeaseTypes.Closing memory c = closing(d, row(d, all(2, 100)), all(2, 100));
        (c.r[1], c.vs[1]) = (c.r[0], c.vs[0]);
        vm.assertEq(close(c), 0, "one signature for two members");
        (c.r[1], c.vs[1]) = vm.signCompact(agentSecret(0), digests.hashClose(d.leaseId, 1, 100));
        vm.assertEq(close(c), 1, "closed");
        vm.assertEq(escrow.devicesInUse(agentKey(0)), 0, "free");
        uint256 each = uint256(100) * RATE / 1e9;
        each -= each * FEE_BPS / 10_000;
        vm.assertEq(escrow.balanceOf(operatorOf(0)), 2 * each, "paid for both");
    }
}
