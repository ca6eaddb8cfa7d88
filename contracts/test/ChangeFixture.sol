// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../src/interfaces/ILeaseTypes.sol";
import {SessionFixture} from "./SessionFixture.sol";

/// @notice Leases that change while they run: what is known of one, makers of changes and of rows that present it.
abstract contract ChangeFixture is SessionFixture {
    /// @dev A lease as it is now. `d.members` are all members, `agents` their numbers in `agentSecret`.
    struct Live {
        Deal d;
        uint256[] agents;
        ILeaseTypes.Roster[] roster; // empty until the first change
        uint96[] paid; // what the last payment recorded
    }

    uint40 internal constant LEFT = 1;
    uint40 internal constant CHANGE_BY = type(uint40).max;

    function live(Deal memory d, uint256[] memory agents) internal pure returns (Live memory) {
        return Live(d, agents, new ILeaseTypes.Roster[](0), new uint96[](0));
    }

    /// @dev An open lease with one device of each of the first `count` agents.
    function liveOf(uint256 count) internal returns (Live memory) {
        return live(opened(count), _numbers(0, count));
    }

    /// @dev As `liveOf`, opened by the session key. The grant has to be there.
    function liveBySession(uint256 count) internal returns (Live memory) {
        Deal memory d = sessionDealOf(count);
        openBySession(d);
        return live(d, _numbers(0, count));
    }

    // ---------------------------------------------------------------- what is presented

    /// @dev The roster as it is: the lease's own terms until it was changed.
    function rosterOf(Live memory l) internal pure returns (ILeaseTypes.Roster memory) {
        if (l.roster.length == 1) return copy(l.roster[0]);
        uint256 count = l.d.members.length;
        return ILeaseTypes.Roster(
            uint32(count), l.d.order.maxSeconds, l.d.order.deposit, new uint40[](count), new uint40[](count)
        );
    }

    function rowOf(Live memory l) internal pure returns (ILeaseTypes.Settlement memory) {
        return _copyRow(ILeaseTypes.Settlement(l.d.order, l.d.members, l.paid, l.roster, noVoucher()));
    }

    function rowOf(Live memory l, uint96[] memory units)
        internal
        view
        returns (ILeaseTypes.Settlement memory settlement)
    {
        settlement = rowOf(l);
        settlement.voucher = voucher(l.d.leaseId, units, new uint40[](units.length), METER_KEY);
    }

    /// @dev A closing with the claims of all members' agents, those that left too (nobody looks at theirs).
    function closingOf(Live memory l, ILeaseTypes.Settlement memory settlement, uint96[] memory claimed)
        internal
        view
        returns (ILeaseTypes.Closing memory c)
    {
        uint256 count = claimed.length;
        c = ILeaseTypes.Closing(settlement, claimed, new bytes32[](count), new bytes32[](count));
        for (uint256 i; i < count; ++i) {
            (c.r[i], c.vs[i]) = _claim(l, i, claimed[i]);
        }
    }

    function leavingOf(Live memory l, ILeaseTypes.Settlement memory settlement, uint256 i, uint96 claimed)
        internal
        view
        returns (ILeaseTypes.Leaving memory)
    {
        (bytes32 r, bytes32 vs) = _claim(l, i, claimed);
        return ILeaseTypes.Leaving(settlement, uint32(i), claimed, r, vs);
    }

    function leave(ILeaseTypes.Leaving memory one) internal returns (uint256) {
        ILeaseTypes.Leaving[] memory rows = new ILeaseTypes.Leaving[](1);
        rows[0] = one;
        return escrow.leave(rows);
    }

    /// @dev Member `i` leaves, and `l` is what the lease is then.
    function leaves(Live memory l, ILeaseTypes.Settlement memory settlement, uint256 i, uint96 claimed)
        internal
    {
        vm.assertEq(leave(leavingOf(l, settlement, i, claimed)), 1, "left");
        noteLeave(l, i, claimed);
    }

    /// @dev What the lease is after member `i` left, worked out here and compared with what the escrow recorded.
    function noteLeave(Live memory l, uint256 i, uint96 claimed) internal view {
        ILeaseTypes.Roster memory roster = rosterOf(l);
        roster.until[i] = LEFT;
        _note(l, roster);
        uint96 before = l.paid.length == 0 ? 0 : l.paid[i];
        if (claimed == before) return;
        if (l.paid.length == 0) l.paid = new uint96[](l.d.members.length);
        l.paid[i] = claimed;
    }

    // ---------------------------------------------------------------- changes

    /// @dev A change of nothing.
    function changeOf(Live memory l) internal view returns (ILeaseTypes.Change memory) {
        ILeaseTypes.Roster memory roster = rosterOf(l);
        return ILeaseTypes.Change({
            before: escrow.rosterHash(l.d.leaseId),
            dismissed: 0,
            maxSeconds: roster.maxSeconds,
            deposit: roster.deposit,
            changeBy: CHANGE_BY
        });
    }

    /// @dev One device of agent `i`, to be added.
    function joining(uint256 i) internal view returns (ILeaseTypes.MatchedAsk[] memory added) {
        added = new ILeaseTypes.MatchedAsk[](1);
        added[0] = matched(i, askOf(i), 1);
    }

    function nobody() internal pure returns (ILeaseTypes.MatchedAsk[] memory) {
        return new ILeaseTypes.MatchedAsk[](0);
    }

    function noAsks() internal pure returns (ILeaseTypes.Ask[] memory) {
        return new ILeaseTypes.Ask[](0);
    }

    /// @dev The asks that members of a deal were taken with.
    function asksOf(Live memory l) internal pure returns (ILeaseTypes.Ask[] memory asks) {
        asks = new ILeaseTypes.Ask[](l.d.asks.length);
        for (uint256 i; i < asks.length; ++i) {
            asks[i] = l.d.asks[i].ask;
        }
    }

    function digestOf(Live memory l, ILeaseTypes.Change memory c, ILeaseTypes.MatchedAsk[] memory added)
        internal
        view
        returns (bytes32)
    {
        return digests.hashChange(l.d.leaseId, c, membersOf(added));
    }

    /// @dev The renter changes the lease; `l` is what it is then, and what the escrow has to record.
    function change(Live memory l, ILeaseTypes.Change memory c, ILeaseTypes.MatchedAsk[] memory added)
        internal
    {
        change(l, c, added, noAsks());
    }

    function change(
        Live memory l,
        ILeaseTypes.Change memory c,
        ILeaseTypes.MatchedAsk[] memory added,
        ILeaseTypes.Ask[] memory asks
    ) internal {
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        vm.prank(l.d.order.renter);
        escrow.change(settlement, c, added, asks, "");
        noteChange(l, c, added);
    }

    /// @dev What the lease is after a change, worked out here and compared with what the escrow recorded.
    function noteChange(Live memory l, ILeaseTypes.Change memory c, ILeaseTypes.MatchedAsk[] memory added)
        internal
        view
    {
        ILeaseTypes.Roster memory roster = rosterAfter(l, c, added.length);
        ILeaseTypes.Member[] memory joined = membersOf(added);
        uint256 before = l.d.members.length;
        ILeaseTypes.Member[] memory members = new ILeaseTypes.Member[](before + joined.length);
        uint256[] memory agents = new uint256[](before + joined.length);
        for (uint256 i; i < members.length; ++i) {
            members[i] = i < before ? l.d.members[i] : joined[i - before];
            agents[i] = i < before ? l.agents[i] : _numberOf(joined[i - before].agentKey);
        }
        (l.d.members, l.agents) = (members, agents);
        _note(l, roster);
    }

    function rosterAfter(Live memory l, ILeaseTypes.Change memory c, uint256 added)
        internal
        view
        returns (ILeaseTypes.Roster memory roster)
    {
        ILeaseTypes.Roster memory before = rosterOf(l);
        uint256 count = before.from.length + added;
        roster = ILeaseTypes.Roster(
            before.opened, c.maxSeconds, c.deposit, new uint40[](count), new uint40[](count)
        );
        for (uint256 i; i < count; ++i) {
            bool known = i < before.from.length;
            roster.from[i] = known ? before.from[i] : uint40(block.timestamp);
            roster.until[i] = known ? before.until[i] : 0;
            if ((c.dismissed >> i) & 1 == 1) roster.until[i] = uint40(block.timestamp) + l.d.order.prepay;
        }
    }

    /// @dev The most that all members of a running lease can ever be paid, by the words of `ILeaseEscrow`.
    function owed(Live memory l) internal view returns (uint96 sum) {
        ILeaseTypes.Roster memory roster = rosterOf(l);
        ILeaseTypes.Lease memory lease = escrow.lease(l.d.leaseId);
        uint256 end = uint256(lease.openedAt) + roster.maxSeconds;
        uint256 stopped = uint256(lease.stopAt) + l.d.order.prepay;
        if (lease.stopAt != 0 && stopped < end) end = stopped;
        for (uint256 i; i < roster.from.length; ++i) {
            if (roster.until[i] == LEFT) {
                if (l.paid.length > i) sum += uint96(uint256(l.paid[i]) * l.d.members[i].rate / 1e9);
                continue;
            }
            uint256 from = roster.from[i] == 0 ? lease.openedAt : roster.from[i];
            uint256 until = roster.until[i] == 0 || roster.until[i] > end ? end : roster.until[i];
            uint256 scaled = until < from ? 0 : (until - from) * l.d.members[i].devices * l.d.members[i].rate;
            sum += uint96((scaled + 1e9 - 1) / 1e9);
        }
    }

    function copy(ILeaseTypes.Roster memory roster) internal pure returns (ILeaseTypes.Roster memory) {
        return abi.decode(abi.encode(roster), (ILeaseTypes.Roster));
    }

    // ---------------------------------------------------------------- private

    function _note(Live memory l, ILeaseTypes.Roster memory roster) private view {
        l.roster = new ILeaseTypes.Roster[](1);
        l.roster[0] = roster;
        bytes32 recorded = escrow.rosterHash(l.d.leaseId);
        vm.assertEq(recorded, digests.hashRoster(roster, l.d.members), "recorded roster");
        vm.assertTrue(escrow.lease(l.d.leaseId).changed, "changed");
    }

    function _claim(Live memory l, uint256 i, uint96 claimed) private view returns (bytes32 r, bytes32 vs) {
        return vm.signCompact(agentSecret(l.agents[i]), digests.hashClose(l.d.leaseId, uint32(i), claimed));
    }

    function _numbers(uint256 from, uint256 to) internal pure returns (uint256[] memory numbers) {
        numbers = new uint256[](to - from);
        for (uint256 i; i < numbers.length; ++i) {
            numbers[i] = from + i;
        }
    }

    function _numberOf(address key) private pure returns (uint256 i) {
        while (agentKey(i) != key) ++i;
    }

    function _copyRow(ILeaseTypes.Settlement memory settlement)
        private
        pure
        returns (ILeaseTypes.Settlement memory)
    {
        return abi.decode(abi.encode(settlement), (ILeaseTypes.Settlement));
    }
}
