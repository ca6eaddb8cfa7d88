// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";

/// @notice What the escrow should do, written down a second time: slowly, in checked arithmetic, from the words of
/// `ILeaseEscrow` and `ILeaseTypes` and not from the code.
library LeaseModel {
    enum Phase {
        NEVER,
        OPEN,
        ENDED
    }

    struct Lease {
        ILeaseTypes.Order order;
        ILeaseTypes.Member[] members; // all that ever were
        ILeaseTypes.Ask[] asks; // what each member was taken with
        uint256[] agents; // number of each member's agent in the handler
        Phase phase;
        uint256 openedAt;
        uint256 stopAt;
        uint256 checkpointedAt;
        bool changed;
        ILeaseTypes.Roster roster; // as it would be for a lease that was never changed, too
        uint96[] paid; // units of each member
        uint256 recorded; // how many members there were when `paid` was recorded last; 0: never recorded
        uint96[] before; // what was recorded before that
        uint96[] lastUnits; // the voucher that made the difference
        uint40[] lastFrom;
        uint256 charged;
        uint256 paidIn; // by the renter, all together
        uint256 refunded; // to the renter, all together
    }

    uint256 internal constant LEFT = 1;

    /// @notice Units that a voucher makes payable at a time, on top of what was paid before it.
    function raised(
        Lease memory lease,
        uint96[] memory paid,
        uint96[] memory units,
        uint40[] memory accrueFrom,
        uint256 timestamp
    ) internal pure returns (uint96[] memory result) {
        result = new uint96[](lease.members.length);
        for (uint256 i; i < result.length; ++i) {
            uint256 before = i < paid.length ? paid[i] : 0;
            uint256 cap = lease.members[i].devices * secondsOf(lease, i, accrueFrom[i], timestamp);
            uint256 payableNow = units[i] > cap ? cap : units[i];
            result[i] = uint96(payableNow > before ? payableNow : before);
        }
    }

    /// @notice max(0, min(min(now, stopAt) + prepay, openedAt + maxSeconds, until) - max(openedAt, from, accrueFrom))
    function secondsOf(Lease memory lease, uint256 i, uint256 accrueFrom, uint256 timestamp)
        internal
        pure
        returns (uint256)
    {
        uint256 until = lease.roster.until[i];
        if (until == LEFT) return 0;
        uint256 to = timestamp;
        if (lease.stopAt > 0 && lease.stopAt < to) to = lease.stopAt;
        to += lease.order.prepay;
        if (to > endOf(lease)) to = endOf(lease);
        if (until != 0 && until < to) to = until;
        uint256 from = lease.openedAt;
        if (lease.roster.from[i] > from) from = lease.roster.from[i];
        if (accrueFrom > from) from = accrueFrom;
        return to < from ? 0 : to - from;
    }

    function endOf(Lease memory lease) internal pure returns (uint256) {
        return lease.openedAt + lease.roster.maxSeconds;
    }

    /// @notice The most that all members can ever have been paid, whatever vouchers there are: each share rounded up.
    function owed(Lease memory lease) internal pure returns (uint256 sum) {
        for (uint256 i; i < lease.members.length; ++i) {
            if (lease.roster.until[i] == LEFT) {
                sum += memberCharge(lease, lease.paid, i);
                continue;
            }
            sum += chargeUp(lease.members[i], secondsOf(lease, i, 0, type(uint64).max));
        }
    }

    function chargeUp(ILeaseTypes.Member memory member, uint256 seconds_) internal pure returns (uint256) {
        uint256 scaled = uint256(member.devices) * member.rate * seconds_;
        return scaled / 1e9 + (scaled % 1e9 == 0 ? 0 : 1);
    }

    /// @notice floor(rate * units / 1e9), summed over the members.
    function chargeOf(Lease memory lease, uint96[] memory units) internal pure returns (uint256 charge) {
        for (uint256 i; i < units.length; ++i) {
            charge += memberCharge(lease, units, i);
        }
    }

    function memberCharge(Lease memory lease, uint96[] memory units, uint256 i)
        internal
        pure
        returns (uint256)
    {
        return uint256(lease.members[i].rate) * units[i] / 1e9;
    }

    /// @notice The last second in which operators can still post vouchers of a lease that was not closed.
    function windowEnd(Lease memory lease) internal pure returns (uint256) {
        uint256 end = endOf(lease);
        if (lease.stopAt > 0 && lease.stopAt < end) end = lease.stopAt;
        return end + lease.order.closeWindow;
    }

    /// @notice The paid units as the last payment recorded them.
    function record(Lease memory lease) internal pure returns (uint96[] memory) {
        return first(lease.paid, lease.recorded);
    }

    /// @notice Whether a row knows what was paid: what was recorded, or what was before its own voucher was posted.
    function isKnown(
        Lease memory lease,
        uint96[] memory presented,
        uint96[] memory units,
        uint40[] memory accrueFrom
    ) internal pure returns (bool) {
        if (lease.recorded == 0) return presented.length == 0;
        uint256 count = lease.members.length;
        if (presented.length > count) return false;
        if (equal(presented, record(lease))) return true;
        if (lease.recorded != count || units.length != count || accrueFrom.length != count) return false;
        return equal(raised(lease, presented, units, accrueFrom, lease.checkpointedAt), lease.paid);
    }

    /// @notice Sets what is paid now; remembers what was before.
    function setPaid(Lease memory lease, uint96[] memory units, uint256 timestamp) internal pure {
        lease.before = record(lease);
        lease.paid = units;
        lease.recorded = units.length;
        lease.checkpointedAt = timestamp;
    }

    function first(uint96[] memory array, uint256 count) internal pure returns (uint96[] memory start) {
        start = new uint96[](count);
        for (uint256 i; i < count; ++i) {
            start[i] = array[i];
        }
    }

    function equal(uint96[] memory a, uint96[] memory b) internal pure returns (bool) {
        return keccak256(abi.encode(a)) == keccak256(abi.encode(b));
    }
}
