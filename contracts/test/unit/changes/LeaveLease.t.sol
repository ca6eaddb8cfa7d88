// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../../src/interfaces/ILeaseTypes.sol";
import {ChangeFixture} from "../../ChangeFixture.sol";

contract LeaveLeaseTest is ChangeFixture {
    function test_a_member_is_paid_its_claim_and_its_devices_are_free() public {
        Live memory l = liveOf(3);
        vm.warp(START + 100);
        ILeaseTypes.Leaving memory one = leavingOf(l, rowOf(l, all(3, 100)), 1, 90);
        uint96[] memory units = new uint96[](3);
        units[1] = 90;
        ILeaseTypes.Roster memory roster = rosterOf(l);
        roster.until[1] = LEFT;
        uint256 charge = uint256(90) * RATE / 1e9;
        vm.expectEmit(address(escrow));
        emit ILeaseTypes.Paid(l.d.leaseId, units, charge);
        vm.expectEmit(address(escrow));
        emit ILeaseTypes.Changed(l.d.leaseId, roster, new ILeaseTypes.Member[](0));
        vm.prank(relayer);
        vm.assertEq(leave(one), 1, "left");

        vm.assertEq(escrow.balanceOf(operatorOf(1)), charge - charge * FEE_BPS / 10_000, "paid");
        vm.assertEq(escrow.balanceOf(operatorOf(0)), 0, "the others later");
        vm.assertEq(escrow.balanceOf(treasury), charge * FEE_BPS / 10_000, "fee");
        vm.assertEq(escrow.devicesInUse(agentKey(1)), 0, "free");
        vm.assertEq(escrow.devicesInUse(agentKey(0)), 1, "the others serve on");
        ILeaseTypes.Lease memory lease = escrow.lease(l.d.leaseId);
        vm.assertEq(lease.charged, charge, "charged");
        vm.assertEq(lease.checkpointedAt, START + 100, "recorded");
        vm.assertEq(escrow.paidUnitsHash(l.d.leaseId), keccak256(abi.encodePacked(units)), "units");
        vm.assertEq(escrow.rosterHash(l.d.leaseId), digests.hashRoster(roster, l.d.members), "roster");
    }

    function test_without_a_voucher_a_member_leaves_with_what_it_has() public {
        Live memory l = liveOf(2);
        vm.assertEq(leave(leavingOf(l, rowOf(l), 0, 1)), 0, "nothing was proven");
        leaves(l, rowOf(l), 0, 0);
        vm.assertEq(escrow.lease(l.d.leaseId).charged, 0, "unpaid");
        vm.assertEq(escrow.lease(l.d.leaseId).checkpointedAt, 0, "nothing recorded");
        vm.assertEq(escrow.devicesInUse(agentKey(0)), 0, "free");
        vm.warp(START + 100);
        checkpoint(rowOf(l, all(2, 60)));
        l.paid = _two(0, 60);
        vm.assertEq(escrow.paidUnitsHash(l.d.leaseId), _hash(l.paid), "the other goes on");
        leaves(l, rowOf(l), 1, 60);
        vm.assertEq(escrow.lease(l.d.leaseId).charged, uint256(60) * RATE / 1e9, "charged");
    }

    function test_claims_beyond_what_is_proven_are_skipped() public {
        Live memory l = liveOf(2);
        vm.warp(START + 100);
        vm.assertEq(leave(leavingOf(l, rowOf(l, all(2, 50)), 0, 51)), 0, "beyond the voucher");
        vm.assertEq(leave(leavingOf(l, rowOf(l, all(2, 1e9)), 0, 131)), 0, "beyond the clock");
        vm.assertEq(leave(leavingOf(l, rowOf(l, all(2, 1e9)), 0, type(uint96).max)), 0, "extreme");
        checkpoint(rowOf(l, all(2, 50)));
        l.paid = all(2, 50);
        vm.assertEq(leave(leavingOf(l, rowOf(l), 0, 51)), 0, "no voucher");
        vm.assertEq(escrow.rosterHash(l.d.leaseId), 0, "nothing changed");
        leaves(l, rowOf(l, all(2, 80)), 0, 80);
        leaves(l, rowOf(l), 1, 50);
    }

    function test_a_claim_below_what_was_paid_takes_nothing_back() public {
        Live memory l = liveOf(2);
        vm.warp(START + 100);
        checkpoint(rowOf(l, all(2, 50)));
        l.paid = all(2, 50);
        uint256 charged = escrow.lease(l.d.leaseId).charged;
        vm.assertEq(leave(leavingOf(l, rowOf(l, all(2, 80)), 0, 20)), 1, "left");
        noteLeave(l, 0, 50);
        vm.assertEq(escrow.lease(l.d.leaseId).charged, charged, "neither more nor less");
        vm.assertEq(escrow.devicesInUse(agentKey(0)), 0, "free");
    }

    function test_only_the_members_own_agent_signs_for_its_own_place() public {
        Live memory l = liveOf(2);
        vm.warp(START + 100);
        ILeaseTypes.Leaving memory right = leavingOf(l, rowOf(l, all(2, 100)), 0, 90);
        ILeaseTypes.Leaving memory wrong = leavingOf(l, rowOf(l, all(2, 100)), 0, 90);
        (wrong.r, wrong.vs) = vm.signCompact(agentSecret(0), digests.hashClose(l.d.leaseId, 1, 90));
        vm.assertEq(leave(wrong), 0, "of another place");
        (wrong.r, wrong.vs) = vm.signCompact(agentSecret(1), digests.hashClose(l.d.leaseId, 0, 90));
        vm.assertEq(leave(wrong), 0, "of another agent");
        (wrong.r, wrong.vs) = vm.signCompact(RENTER_KEY, digests.hashClose(l.d.leaseId, 0, 90));
        vm.assertEq(leave(wrong), 0, "of the renter");
        (wrong.r, wrong.vs) = vm.signCompact(agentSecret(0), digests.hashClose(keccak256("x"), 0, 90));
        vm.assertEq(leave(wrong), 0, "for another lease");
        (wrong.r, wrong.vs) = vm.signCompact(agentSecret(0), digests.hashClose(l.d.leaseId, 0, 91));
        vm.assertEq(leave(wrong), 0, "for other units");
        (wrong.r, wrong.vs) = (right.r, right.vs);
        wrong.member = 1;
        vm.assertEq(leave(wrong), 0, "brought for another member");
        vm.assertEq(leave(right), 1, "its own");
    }

    function test_one_agent_twice_in_a_lease_leaves_place_by_place() public {
        ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](2);
        (asks[0], asks[1]) = (matched(0, askOf(0), 2), matched(0, askOf(0), 3));
        Deal memory d = deal(orderFor(asks), asks);
        open(d);
        Live memory l = live(d, new uint256[](2));
        ILeaseTypes.Leaving memory first = leavingOf(l, rowOf(l), 0, 0);
        ILeaseTypes.Leaving memory swapped = leavingOf(l, rowOf(l), 0, 0);
        swapped.member = 1;
        vm.assertEq(leave(swapped), 0, "the first place's signature");
        vm.assertEq(leave(first), 1, "left");
        vm.assertEq(escrow.devicesInUse(agentKey(0)), 3, "the second serves on");
    }

    function test_nobody_leaves_twice() public {
        Live memory l = liveOf(2);
        vm.warp(START + 100);
        ILeaseTypes.Settlement memory before = rowOf(l, all(2, 100));
        leaves(l, before, 0, 50);
        vm.assertEq(leave(leavingOf(l, before, 0, 50)), 0, "with the row of before");
        vm.assertEq(leave(leavingOf(l, rowOf(l), 0, 50)), 0, "as it is now");
        vm.assertEq(leave(leavingOf(l, rowOf(l, all(2, 100)), 0, 100)), 0, "with a voucher");
        vm.assertEq(escrow.devicesInUse(agentKey(0)), 0, "freed once");
        open(dealOf(1));
        vm.assertEq(leave(leavingOf(l, rowOf(l), 0, 50)), 0, "while its devices serve elsewhere");
        vm.assertEq(escrow.devicesInUse(agentKey(0)), 1, "those are in use");
    }

    function test_a_member_that_left_gets_nothing_more() public {
        Live memory l = liveOf(2);
        vm.warp(START + 100);
        leaves(l, rowOf(l, all(2, 100)), 0, 50);
        uint256 earned = escrow.balanceOf(operatorOf(0));
        vm.warp(START + 500);
        vm.assertEq(checkpoint(rowOf(l, all(2, 1e9))), 1, "the other is paid");
        l.paid = _two(50, 530);
        vm.assertEq(escrow.paidUnitsHash(l.d.leaseId), _hash(l.paid), "the one stays");
        vm.assertEq(escrow.balanceOf(operatorOf(0)), earned, "nothing more");
        vm.warp(START + 3 days);
        vm.assertEq(finalize(rowOf(l, all(2, 1e9))), 1, "ended");
        vm.assertEq(escrow.balanceOf(operatorOf(0)), earned, "nothing at the end");
    }

    function test_when_the_last_member_left_anybody_closes() public {
        Live memory l = liveOf(2);
        vm.warp(START + 100);
        leaves(l, rowOf(l, all(2, 100)), 0, 50);
        leaves(l, rowOf(l, all(2, 100)), 1, 70);
        uint256 charged = uint256(50) * RATE / 1e9 + uint256(70) * RATE / 1e9;
        uint256 before = token.balanceOf(renter);
        ILeaseTypes.Closing memory c =
            ILeaseTypes.Closing(rowOf(l), l.paid, new bytes32[](2), new bytes32[](2));
        vm.expectEmit(address(escrow));
        emit ILeaseTypes.Closed(l.d.leaseId, charged, l.d.order.deposit - charged);
        vm.prank(relayer);
        vm.assertEq(close(c), 1, "closed");
        vm.assertEq(token.balanceOf(renter) - before, l.d.order.deposit - charged, "refund");
        vm.assertEq(escrow.devicesInUse(agentKey(0)), 0, "free");
        vm.assertEq(escrow.devicesInUse(agentKey(1)), 0, "free");
        vm.assertEq(escrow.rosterHash(l.d.leaseId), 0, "roster cleared");
        vm.assertEq(escrow.paidUnitsHash(l.d.leaseId), 0, "units cleared");
    }

    function test_all_that_left_unpaid_give_everything_back() public {
        Live memory l = liveOf(2);
        leaves(l, rowOf(l), 1, 0);
        leaves(l, rowOf(l), 0, 0);
        uint256 before = token.balanceOf(renter);
        vm.assertEq(
            close(ILeaseTypes.Closing(rowOf(l), all(2, 0), new bytes32[](2), new bytes32[](2))), 1, "closed"
        );
        vm.assertEq(token.balanceOf(renter) - before, l.d.order.deposit, "all back");
    }

    function test_while_one_serves_its_signature_is_needed_to_close() public {
        Live memory l = liveOf(2);
        vm.warp(START + 100);
        leaves(l, rowOf(l, all(2, 100)), 0, 50);
        ILeaseTypes.Closing memory c =
            ILeaseTypes.Closing(rowOf(l), _two(50, 0), new bytes32[](2), new bytes32[](2));
        vm.assertEq(close(c), 0, "unsigned");
        c = closingOf(l, rowOf(l, all(2, 100)), _two(51, 90));
        vm.assertEq(close(c), 0, "more for the one that left");
        c = closingOf(l, rowOf(l, all(2, 100)), _two(50, 90));
        (c.r[0], c.vs[0]) = (0, 0);
        vm.assertEq(close(c), 1, "closed by the other alone");
    }

    function test_rows_that_are_wrong_are_skipped() public {
        Live memory l = liveOf(2);
        vm.warp(START + 100);
        ILeaseTypes.Leaving memory one = leavingOf(l, rowOf(l, all(2, 100)), 0, 90);
        one.member = 2;
        vm.assertEq(leave(one), 0, "no such member");
        one.member = type(uint32).max;
        vm.assertEq(leave(one), 0, "no such member at all");
        one.member = 0;
        one.settlement.order.salt += 1;
        vm.assertEq(leave(one), 0, "another order");
        one.settlement.order.salt -= 1;
        one.settlement.paidUnits = all(2, 0);
        vm.assertEq(leave(one), 0, "paid units that were not recorded");
        one.settlement.paidUnits = new uint96[](0);
        bytes32 r = one.settlement.voucher.r;
        one.settlement.voucher.r = 0;
        vm.assertEq(leave(one), 0, "a voucher of nobody");
        one.settlement.voucher.r = r;
        one.settlement.roster = new ILeaseTypes.Roster[](1);
        one.settlement.roster[0] = rosterOf(l);
        vm.assertEq(leave(one), 0, "a roster of a lease that was not changed");
        one.settlement.roster = new ILeaseTypes.Roster[](0);
        vm.assertEq(leave(one), 1, "right");
    }

    function test_a_batch_takes_its_good_rows() public {
        Live memory l = liveOf(2);
        Live memory other = liveOf(1);
        vm.warp(START + 100);
        ILeaseTypes.Leaving[] memory rows = new ILeaseTypes.Leaving[](4);
        rows[0] = leavingOf(l, rowOf(l, all(2, 100)), 0, 90);
        rows[1] = rows[0];
        rows[2] = leavingOf(l, rowOf(l, all(2, 100)), 1, 101);
        rows[3] = leavingOf(other, rowOf(other, all(1, 100)), 0, 100);
        vm.assertEq(escrow.leave(rows), 2, "the two that are right");
    }

    function test_members_leave_after_a_stop_and_after_the_end_until_it_closes() public {
        Live memory l = liveOf(3);
        vm.warp(START + 100);
        vm.prank(renter);
        escrow.stop(l.d.order, l.d.membersHash);
        vm.warp(START + 200);
        vm.assertEq(leave(leavingOf(l, rowOf(l, all(3, 1e9)), 0, 131)), 0, "beyond the stop");
        leaves(l, rowOf(l, all(3, 1e9)), 0, 130);
        vm.warp(START + 30 days);
        leaves(l, rowOf(l, all(3, 1e9)), 1, 120);
        vm.assertEq(finalize(rowOf(l)), 1, "ended");
        vm.assertEq(leave(leavingOf(l, rowOf(l), 2, 0)), 0, "closed");
    }

    function test_devices_of_a_member_that_left_are_sold_again_at_once() public {
        ILeaseTypes.Ask memory ask = askOf(0);
        ask.devices = 2;
        ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](1);
        asks[0] = matched(0, ask, 2);
        Deal memory d = deal(orderFor(asks), asks);
        open(d);
        Live memory l = live(d, new uint256[](1));
        leaves(l, rowOf(l), 0, 0);
        open(deal(orderFor(asks), asks));
        vm.assertEq(
            close(ILeaseTypes.Closing(rowOf(l), all(1, 0), new bytes32[](1), new bytes32[](1))), 1, ""
        );
        vm.assertEq(escrow.devicesInUse(agentKey(0)), 2, "the first lease's end frees them not again");
    }

    function _two(uint96 first, uint96 second) private pure returns (uint96[] memory units) {
        units = new uint96[](2);
        (units[0], units[1]) = (first, second);
    }

    function _hash(uint96[] memory units) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(units));
    }
}
