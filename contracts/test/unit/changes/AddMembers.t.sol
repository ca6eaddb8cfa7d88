// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../../src/interfaces/ILeaseTypes.sol";
import {ChangeFixture} from "../../ChangeFixture.sol";

contract AddMembersTest is ChangeFixture {
    uint256 private constant JOINED = START + 1000;

    function test_an_added_member_serves_from_now_to_the_end() public {
        Live memory l = _joined(liveOf(2));
        vm.assertEq(escrow.devicesInUse(agentKey(2)), 1, "its device is taken");
        vm.assertEq(l.roster[0].opened, 2, "opened with two");
        vm.assertEq(l.roster[0].from[2], JOINED, "from now");
        vm.assertEq(escrow.balanceOf(renter), FUNDS - _cost(JOINED, START + MAX_SECONDS), "paid in");
        vm.warp(JOINED + 100);
        vm.assertEq(checkpoint(rowOf(l, all(3, 1e9))), 1, "paid");
        uint96[] memory units = all(3, 1130);
        units[2] = 130;
        vm.assertEq(escrow.paidUnitsHash(l.d.leaseId), keccak256(abi.encodePacked(units)), "units");
    }

    /// @dev Whatever clock the voucher gives it.
    function test_its_clock_starts_at_its_joining_whatever_the_voucher_says() public {
        Live memory l = _joined(liveOf(1));
        vm.warp(JOINED + 100);
        uint40[] memory from = new uint40[](2);
        (from[0], from[1]) = (uint40(START + 500), uint40(START));
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        settlement.voucher = voucher(l.d.leaseId, all(2, 1e9), from, METER_KEY);
        vm.assertEq(checkpoint(settlement), 1, "paid");
        vm.assertEq(escrow.paidUnitsHash(l.d.leaseId), keccak256(abi.encode(630, 130)), "from its joining");
        l.paid = all(2, 630);
        l.paid[1] = 130;
        from[1] = uint40(JOINED + 60);
        vm.warp(JOINED + 200);
        settlement = rowOf(l);
        settlement.voucher = voucher(l.d.leaseId, all(2, 1e9), from, METER_KEY);
        checkpoint(settlement);
        vm.assertEq(escrow.paidUnitsHash(l.d.leaseId), keccak256(abi.encode(730, 170)), "or later");
    }

    function test_units_paid_before_it_joined_are_known_as_they_were_recorded() public {
        Live memory l = liveOf(2);
        vm.warp(START + 500);
        checkpoint(rowOf(l, all(2, 400)));
        l.paid = all(2, 400);
        l = _joined(l);
        uint256 charged = escrow.lease(l.d.leaseId).charged;
        ILeaseTypes.Settlement memory padded = rowOf(l, all(3, 500));
        padded.paidUnits = new uint96[](3);
        (padded.paidUnits[0], padded.paidUnits[1]) = (400, 400);
        vm.warp(JOINED + 600);
        vm.assertEq(checkpoint(padded), 0, "padded");
        vm.assertEq(checkpoint(rowOf(l, all(3, 500))), 1, "paid");
        uint256 added =
            2 * (uint256(500) * RATE / 1e9 - uint256(400) * RATE / 1e9) + uint256(500) * RATE / 1e9;
        vm.assertEq(escrow.lease(l.d.leaseId).charged - charged, added, "the difference");
        l.paid = all(3, 500);
        vm.assertEq(escrow.paidUnitsHash(l.d.leaseId), keccak256(abi.encodePacked(l.paid)), "of all three");
        vm.assertEq(close(closingOf(l, rowOf(l), l.paid)), 1, "closed");
    }

    /// @dev Else a renter could void what it signed: add a member of its own, stop, and wait for the window to pass.
    function test_a_voucher_from_before_it_joined_is_as_good_as_it_was() public {
        Live memory l = liveOf(2);
        ILeaseTypes.Voucher memory before = voucher(l.d.leaseId, all(2, 900), new uint40[](2), METER_KEY);
        l = _joined(l);
        vm.prank(renter);
        escrow.stop(l.d.order, l.d.membersHash);
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        settlement.voucher = before;
        vm.assertEq(checkpoint(settlement), 1, "posted");
        uint96[] memory units = all(3, 900);
        units[2] = 0;
        vm.assertEq(
            escrow.paidUnitsHash(l.d.leaseId), keccak256(abi.encodePacked(units)), "nothing for the third"
        );
        vm.warp(JOINED + 2 days);
        vm.assertEq(finalize(settlement), 1, "known as what its own posting made of it");
        vm.assertEq(escrow.lease(l.d.leaseId).charged, 2 * (uint256(900) * RATE / 1e9), "both are paid once");
    }

    function test_a_voucher_with_more_entries_than_members_or_of_uneven_lengths_proves_nothing() public {
        Live memory l = _joined(liveOf(2));
        vm.warp(JOINED + 100);
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        settlement.voucher = voucher(l.d.leaseId, all(4, 50), new uint40[](4), METER_KEY);
        vm.assertEq(checkpoint(settlement), 0, "four");
        settlement.voucher = voucher(l.d.leaseId, all(2, 50), new uint40[](3), METER_KEY);
        vm.assertEq(checkpoint(settlement), 0, "uneven");
        settlement.voucher = voucher(l.d.leaseId, all(3, 50), new uint40[](2), METER_KEY);
        vm.assertEq(checkpoint(settlement), 0, "uneven the other way");
    }

    function test_a_lease_paid_before_an_addition_can_be_left_and_closed_and_finalized() public {
        for (uint256 way; way < 3; ++way) {
            vm.warp(START);
            Live memory l = liveOf(1);
            vm.warp(START + 500);
            checkpoint(rowOf(l, all(1, 400)));
            l.paid = all(1, 400);
            l = _joined(l);
            vm.warp(way == 2 ? START + 3 days : JOINED + 10);
            if (way == 0) {
                vm.assertEq(leave(leavingOf(l, rowOf(l), 1, 0)), 1, "left");
                continue;
            }
            uint96[] memory units = new uint96[](2);
            units[0] = 400;
            uint256 ended = way == 1 ? close(closingOf(l, rowOf(l), units)) : finalize(rowOf(l));
            vm.assertEq(ended, 1, "ended");
            vm.assertEq(escrow.lease(l.d.leaseId).charged, uint256(400) * RATE / 1e9, "charged");
        }
    }

    function test_it_is_asked_for_the_time_that_is_left_and_no_more() public {
        Live memory l = liveOf(1);
        vm.warp(JOINED);
        ILeaseTypes.Ask memory ask = askOf(2);
        ask.maxSeconds = uint40(MAX_SECONDS - 1001);
        ILeaseTypes.MatchedAsk[] memory added = new ILeaseTypes.MatchedAsk[](1);
        added[0] = matched(2, ask, 1);
        ILeaseTypes.Change memory c = _paidFor(l);
        _refused(l, c, added, _askRange("maxSeconds"));
        ask.maxSeconds += 1;
        added[0] = matched(2, ask, 1);
        change(l, c, added);
    }

    function test_the_deposit_has_to_cover_it() public {
        Live memory l = liveOf(1);
        vm.warp(JOINED);
        ILeaseTypes.Change memory c = _paidFor(l);
        c.deposit -= 1;
        _refused(
            l,
            c,
            joining(2),
            abi.encodeWithSelector(ILeaseTypes.DepositTooSmall.selector, c.deposit, c.deposit + 1)
        );
        c.deposit += 1;
        vm.prank(renter);
        escrow.withdraw(FUNDS - 1);
        _refused(
            l,
            c,
            joining(2),
            abi.encodeWithSelector(
                ILeaseTypes.InsufficientBalance.selector, renter, 1, c.deposit - l.d.order.deposit
            )
        );
    }

    function test_asks_that_do_not_fit_are_refused_by_name() public {
        Live memory l = liveOf(1);
        vm.warp(JOINED);
        ILeaseTypes.Ask memory ask = askOf(2);
        ask.rate = 0;
        _askRefused(l, ask, _askRange("rate"));
        ask.rate = RATE;
        ask.closeWindow += 1;
        _askRefused(l, ask, _askRange("closeWindow"));
        ask.closeWindow -= 1;
        ask.prepay += 1;
        _askRefused(l, ask, _askRange("prepay"));
        ask.prepay -= 1;
        ask.maxFeeBps -= 1;
        _askRefused(l, ask, _askRange("maxFeeBps"));
        ask.maxFeeBps += 1;
        ask.validUntil = uint40(JOINED - 1);
        _askRefused(l, ask, abi.encodeWithSelector(ILeaseTypes.AskExpired.selector, 0, JOINED - 1));
        ask.validUntil = uint40(JOINED);
        ask.epoch = 1;
        _askRefused(l, ask, abi.encodeWithSelector(ILeaseTypes.AskCancelled.selector, 0, 1, 0));
        ask.epoch = 0;
        ask.operator = operatorOf(1);
        _askRefused(
            l, ask, abi.encodeWithSelector(ILeaseTypes.UnknownAgent.selector, 0, agentKey(2), operatorOf(1))
        );
        ask.operator = operatorOf(2);
        ask.devices = 0;
        _askRefused(l, ask, abi.encodeWithSelector(ILeaseTypes.AskOversold.selector, 0, 0, 1, 0));
        ask.devices = 1;
        ILeaseTypes.MatchedAsk[] memory added = joining(2);
        added[0].r = 0;
        _refused(
            l,
            _paidFor(l),
            added,
            abi.encodeWithSelector(ILeaseTypes.BadAskSignature.selector, 0, agentKey(2))
        );
    }

    function test_an_agent_that_serves_can_be_added_again_as_far_as_it_has_devices() public {
        Live memory l = liveOf(1);
        vm.warp(JOINED);
        ILeaseTypes.Ask memory ask = askOf(0);
        ask.devices = 1;
        _askRefused(l, ask, abi.encodeWithSelector(ILeaseTypes.AskOversold.selector, 0, 1, 1, 1));
        ask.devices = 2;
        ILeaseTypes.MatchedAsk[] memory added = new ILeaseTypes.MatchedAsk[](1);
        added[0] = matched(0, ask, 1);
        change(l, _paidFor(l), added);
        vm.assertEq(escrow.devicesInUse(agentKey(0)), 2, "twice");
    }

    function test_members_are_counted_with_those_that_left() public {
        Live memory l = liveOf(2);
        leaves(l, rowOf(l), 0, 0);
        vm.prank(renter);
        escrow.deposit(1e12);
        ILeaseTypes.MatchedAsk[] memory added = _copies(126);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit = 1e11;
        change(l, c, added);
        vm.assertEq(l.d.members.length, 128, "as many as there may be");
        c = changeOf(l);
        _refused(l, c, joining(3), abi.encodeWithSelector(ILeaseTypes.TooManyMembers.selector, 129, 128));
    }

    function test_more_than_a_lease_may_have_are_refused_at_once() public {
        Live memory l = liveOf(2);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit = 1e11;
        ILeaseTypes.MatchedAsk[] memory added = _copies(127);
        _refused(l, c, added, abi.encodeWithSelector(ILeaseTypes.TooManyMembers.selector, 129, 128));
    }

    function test_a_lease_that_all_left_can_get_members_again() public {
        Live memory l = liveOf(1);
        leaves(l, rowOf(l), 0, 0);
        vm.warp(JOINED);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit = _cost(JOINED, START + MAX_SECONDS);
        uint256 before = token.balanceOf(renter);
        change(l, c, joining(1));
        vm.assertEq(token.balanceOf(renter) - before, l.d.order.deposit - c.deposit, "the rest is back");
        vm.assertEq(
            close(ILeaseTypes.Closing(rowOf(l), all(2, 0), new bytes32[](2), new bytes32[](2))),
            0,
            "not without it"
        );
        vm.assertEq(close(closingOf(l, rowOf(l), all(2, 0))), 1, "with it");
    }

    function test_members_join_one_after_the_other() public {
        Live memory l = liveOf(1);
        for (uint256 i = 1; i < 4; ++i) {
            vm.warp(START + i * 100);
            ILeaseTypes.Change memory c = changeOf(l);
            c.deposit += _cost(block.timestamp, START + MAX_SECONDS);
            change(l, c, joining(i));
            vm.assertEq(l.roster[0].opened, 1, "opened with one");
            vm.assertEq(c.deposit, owed(l), "exactly covered");
        }
        vm.warp(START + 1000);
        checkpoint(rowOf(l, all(4, 1e9)));
        vm.assertEq(
            escrow.paidUnitsHash(l.d.leaseId), keccak256(abi.encode(1030, 930, 830, 730)), "each by its clock"
        );
    }

    // ---------------------------------------------------------------- private

    /// @dev Agent 2, or agent 1 in a lease of one, joins a thousand seconds after the opening.
    function _joined(Live memory l) private returns (Live memory) {
        vm.warp(JOINED);
        change(l, _paidFor(l), joining(l.d.members.length));
        return l;
    }

    function _paidFor(Live memory l) private view returns (ILeaseTypes.Change memory c) {
        c = changeOf(l);
        c.deposit += _cost(JOINED, START + MAX_SECONDS);
    }

    function _cost(uint256 from, uint256 until) private pure returns (uint96) {
        return uint96(((until - from) * RATE + 1e9 - 1) / 1e9);
    }

    function _copies(uint256 count) private view returns (ILeaseTypes.MatchedAsk[] memory added) {
        added = new ILeaseTypes.MatchedAsk[](count);
        ILeaseTypes.MatchedAsk memory one = matched(3, askOf(3), 1);
        for (uint256 i; i < count; ++i) {
            added[i] = one;
        }
    }

    function _askRange(bytes32 field) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ILeaseTypes.AskOutOfRange.selector, 0, field);
    }

    function _askRefused(Live memory l, ILeaseTypes.Ask memory ask, bytes memory expected) private {
        ILeaseTypes.MatchedAsk[] memory added = new ILeaseTypes.MatchedAsk[](1);
        uint256 signer = ask.agentKey == agentKey(0) ? 0 : 2;
        added[0] = matched(signer, ask, 1);
        _refused(l, _paidFor(l), added, expected);
    }

    function _refused(
        Live memory l,
        ILeaseTypes.Change memory c,
        ILeaseTypes.MatchedAsk[] memory added,
        bytes memory expected
    ) private {
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        vm.expectRevert(expected);
        vm.prank(renter);
        escrow.change(settlement, c, added, noAsks(), "");
    }
}
