// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../../src/interfaces/ILeaseTypes.sol";
import {ChangeFixture} from "../../ChangeFixture.sol";

contract ProlongTest is ChangeFixture {
    uint40 private constant LONGER = 2 days;

    function test_a_lease_goes_on_for_as_long_as_all_allow() public {
        Live memory l = liveOf(2);
        vm.warp(START + 1000);
        ILeaseTypes.Change memory c = _longer(l, LONGER);
        change(l, c, nobody(), asksOf(l));
        vm.assertEq(escrow.balanceOf(renter), FUNDS - (c.deposit - l.d.order.deposit), "paid in");
        vm.assertEq(owed(l), c.deposit, "exactly covered");
        vm.warp(START + MAX_SECONDS + CLOSE_WINDOW + 1);
        vm.assertEq(finalize(rowOf(l)), 0, "not over");
        vm.warp(START + LONGER + CLOSE_WINDOW);
        vm.assertEq(finalize(rowOf(l)), 0, "in its last second");
        vm.warp(START + LONGER + CLOSE_WINDOW + 1);
        vm.assertEq(finalize(rowOf(l, all(2, 1e9))), 1, "over");
        vm.assertEq(escrow.lease(l.d.leaseId).charged, 2 * (uint256(LONGER) * RATE / 1e9), "all of it");
    }

    function test_a_lease_is_prolonged_again() public {
        Live memory l = liveOf(1);
        vm.warp(START + 1000);
        change(l, _longer(l, LONGER), nobody(), asksOf(l));
        vm.warp(START + 80_000);
        change(l, _longer(l, LONGER + 1), nobody(), asksOf(l));
        vm.warp(START + 10 days);
        checkpoint(rowOf(l, all(1, 1e9)));
        vm.assertEq(escrow.paidUnitsHash(l.d.leaseId), keccak256(abi.encode(LONGER + 1)), "by a second");
    }

    function test_it_never_gets_shorter() public {
        Live memory l = liveOf(1);
        ILeaseTypes.Change memory c = changeOf(l);
        c.maxSeconds -= 1;
        _refused(l, c, noAsks(), _changeRange("maxSeconds"));
        c.maxSeconds = 0;
        _refused(l, c, noAsks(), _changeRange("maxSeconds"));
        c.maxSeconds = 1;
        _refused(l, c, noAsks(), _changeRange("maxSeconds"));
    }

    function test_the_longest_lease_there_is() public {
        Live memory l = liveOf(1);
        ILeaseTypes.Change memory c = changeOf(l);
        c.maxSeconds = type(uint40).max;
        _refused(l, c, asksOf(l), _askRange(0, "maxSeconds"));
        ILeaseTypes.Ask memory ask = askOf(0);
        (ask.maxSeconds, ask.rate) = (type(uint40).max, 1);
        ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](1);
        asks[0] = matched(0, ask, 1);
        Deal memory d = deal(orderFor(asks), asks);
        open(d);
        l = live(d, new uint256[](1));
        change(l, _longer(l, type(uint40).max), nobody(), asksOf(l));
    }

    function test_the_deposit_has_to_cover_it() public {
        Live memory l = liveOf(2);
        ILeaseTypes.Change memory c = _longer(l, LONGER);
        c.deposit -= 1;
        _refused(
            l,
            c,
            asksOf(l),
            abi.encodeWithSelector(ILeaseTypes.DepositTooSmall.selector, c.deposit, c.deposit + 1)
        );
    }

    // ---------------------------------------------------------------- asks

    function test_every_member_has_to_allow_it() public {
        Live memory l = _withSecond(LONGER - 1);
        ILeaseTypes.Change memory c = _longer(l, LONGER);
        _refused(l, c, asksOf(l), _askRange(1, "maxSeconds"));
        change(l, _longer(l, LONGER - 1), nobody(), asksOf(l));
    }

    function test_asks_that_expired_allow_nothing() public {
        Live memory l = liveOf(2);
        vm.warp(START + 1 days - 1);
        ILeaseTypes.Change memory c = _longer(l, LONGER);
        vm.warp(START + 1 days);
        _refused(l, c, asksOf(l), _changeRange("maxSeconds"));
        l = liveOf(2);
        change(l, _longer(l, LONGER), nobody(), asksOf(l));
        vm.warp(START + 2 days + 1);
        uint256 validUntil = START + 2 days;
        _refused(
            l,
            _longer(l, LONGER + 1),
            asksOf(l),
            abi.encodeWithSelector(ILeaseTypes.AskExpired.selector, 0, validUntil)
        );
        vm.warp(START + 2 days);
        change(l, _longer(l, LONGER + 1), nobody(), asksOf(l));
    }

    function test_asks_that_were_cancelled_allow_nothing() public {
        Live memory l = liveOf(2);
        vm.prank(operatorOf(1));
        operators.cancelAsks(agentKey(1));
        _refused(
            l,
            _longer(l, LONGER),
            asksOf(l),
            abi.encodeWithSelector(ILeaseTypes.AskCancelled.selector, 1, 0, 1)
        );
        vm.prank(operatorOf(1));
        operators.leave(agentKey(1));
        _refused(
            l,
            _longer(l, LONGER),
            asksOf(l),
            abi.encodeWithSelector(ILeaseTypes.UnknownAgent.selector, 1, agentKey(1), operatorOf(1))
        );
    }

    function test_asks_that_are_missing_too_many_or_of_others_are_refused() public {
        Live memory l = liveOf(2);
        ILeaseTypes.Change memory c = _longer(l, LONGER);
        ILeaseTypes.Ask[] memory right = asksOf(l);
        bytes memory expected = _changeRange("asks");
        _refused(l, c, noAsks(), expected);
        ILeaseTypes.Ask[] memory wrong = new ILeaseTypes.Ask[](1);
        wrong[0] = right[0];
        _refused(l, c, wrong, expected);
        wrong = new ILeaseTypes.Ask[](3);
        (wrong[0], wrong[1], wrong[2]) = (right[0], right[1], right[1]);
        _refused(l, c, wrong, expected);
        wrong = new ILeaseTypes.Ask[](2);
        (wrong[0], wrong[1]) = (right[1], right[0]);
        _refused(l, c, wrong, expected);
        (wrong[0], wrong[1]) = (right[0], askOf(1));
        wrong[1].maxSeconds += 1;
        _refused(l, c, wrong, expected);
        change(l, c, nobody(), right);
    }

    function test_those_that_do_not_serve_to_the_end_are_not_asked() public {
        Live memory l = _withSecond(MAX_SECONDS);
        vm.warp(START + 100);
        ILeaseTypes.Ask[] memory first = new ILeaseTypes.Ask[](1);
        first[0] = l.d.asks[0].ask;
        ILeaseTypes.Change memory c = changeOf(l);
        (c.maxSeconds, c.deposit, c.dismissed) = (LONGER, c.deposit + 100e6, 2);
        change(l, c, nobody(), first);
        vm.warp(START + 1 days + 100);
        checkpoint(rowOf(l, all(2, 1e9)));
        vm.assertEq(
            escrow.paidUnitsHash(l.d.leaseId),
            keccak256(abi.encode(1 days + 130, 130)),
            "dismissed is dismissed"
        );
    }

    function test_a_member_that_left_is_not_asked() public {
        Live memory l = _withSecond(MAX_SECONDS);
        leaves(l, rowOf(l), 1, 0);
        ILeaseTypes.Ask[] memory first = new ILeaseTypes.Ask[](1);
        first[0] = l.d.asks[0].ask;
        change(l, _longer(l, LONGER), nobody(), first);
    }

    function test_a_member_added_later_is_asked_for_its_own_time() public {
        Live memory l = liveOf(1);
        vm.warp(START + 1000);
        ILeaseTypes.Ask memory ask = askOf(1);
        ask.maxSeconds = LONGER - 1000;
        ILeaseTypes.MatchedAsk[] memory added = new ILeaseTypes.MatchedAsk[](1);
        added[0] = matched(1, ask, 1);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit += 100e6;
        change(l, c, added);
        ILeaseTypes.Ask[] memory asks = new ILeaseTypes.Ask[](2);
        (asks[0], asks[1]) = (l.d.asks[0].ask, ask);
        _refused(l, _longer(l, LONGER + 1), asks, _askRange(1, "maxSeconds"));
        change(l, _longer(l, LONGER), nobody(), asks);
    }

    function test_who_joins_by_the_same_change_is_taken_for_the_new_length() public {
        Live memory l = liveOf(1);
        vm.warp(START + 1000);
        ILeaseTypes.Ask memory ask = askOf(1);
        ask.maxSeconds = LONGER - 1001;
        ILeaseTypes.MatchedAsk[] memory added = new ILeaseTypes.MatchedAsk[](1);
        added[0] = matched(1, ask, 1);
        ILeaseTypes.Change memory c = _longer(l, LONGER);
        c.deposit += 200e6;
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        vm.expectRevert(_askRange(0, "maxSeconds"));
        vm.prank(renter);
        escrow.change(settlement, c, added, asksOf(l), "");
        ask.maxSeconds += 1;
        added[0] = matched(1, ask, 1);
        change(l, c, added, asksOf(l));
    }

    function test_asks_are_not_looked_at_where_the_length_stays() public {
        Live memory l = liveOf(2);
        vm.prank(operatorOf(1));
        operators.cancelAsks(agentKey(1));
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit += 1;
        change(l, c, nobody());
    }

    // ---------------------------------------------------------------- private

    function _longer(Live memory l, uint40 maxSeconds) private view returns (ILeaseTypes.Change memory c) {
        c = changeOf(l);
        ILeaseTypes.Roster[] memory kept = l.roster;
        ILeaseTypes.Roster memory roster = rosterOf(l);
        c.maxSeconds = roster.maxSeconds = maxSeconds;
        l.roster = new ILeaseTypes.Roster[](1);
        l.roster[0] = roster;
        uint96 needed = owed(l);
        if (needed > c.deposit) c.deposit = needed;
        l.roster = kept;
    }

    /// @dev Two members; the second allows `maxSeconds` and no more.
    function _withSecond(uint40 maxSeconds) private returns (Live memory) {
        ILeaseTypes.Ask memory ask = askOf(1);
        ask.maxSeconds = maxSeconds;
        ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](2);
        (asks[0], asks[1]) = (matched(0, askOf(0), 1), matched(1, ask, 1));
        Deal memory d = deal(orderFor(asks), asks);
        open(d);
        return live(d, _numbers(0, 2));
    }

    function _changeRange(bytes32 field) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ILeaseTypes.ChangeOutOfRange.selector, field);
    }

    function _askRange(uint256 i, bytes32 field) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ILeaseTypes.AskOutOfRange.selector, i, field);
    }

    function _refused(
        Live memory l,
        ILeaseTypes.Change memory c,
        ILeaseTypes.Ask[] memory asks,
        bytes memory expected
    ) private {
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        vm.expectRevert(expected);
        vm.prank(renter);
        escrow.change(settlement, c, nobody(), asks, "");
    }
}
