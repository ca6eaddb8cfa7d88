// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseEscrow} from "../../src/interfaces/ILeaseEscrow.sol";
import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";

/// @notice What the escrow should do, written down a second time: slowly, in checked arithmetic, from the formula in
/// `ILeaseEscrow` and not from the code.
library LeaseModel {
    enum Phase {
        NEVER,
        OPEN,
        ENDED
    }

    struct Lease {
        ILeaseTypes.Order order;
        ILeaseTypes.Member[] members;
        uint256[] agents; // number of each member's agent in the handler
        Phase phase;
        uint256 openedAt;
        uint256 stopAt;
        bool checkpointed;
        uint96[] paid; // units of each member
        uint256 charged;
        uint256 refunded;
    }

    /// @notice Units that a voucher makes payable now; never fewer than were paid.
    function proven(Lease memory lease, uint96[] memory units, uint40[] memory accrueFrom, uint256 timestamp)
        internal
        pure
        returns (uint96[] memory result)
    {
        result = new uint96[](lease.paid.length);
        for (uint256 i; i < result.length; ++i) {
            uint256 cap = lease.members[i].devices * secondsOf(lease, accrueFrom[i], timestamp);
            uint256 payableNow = units[i] > cap ? cap : units[i];
            result[i] = payableNow > lease.paid[i] ? uint96(payableNow) : lease.paid[i];
        }
    }

    /// @notice max(0, min(min(now, stopAt) + prepay, openedAt + maxSeconds) - max(openedAt, accrueFrom))
    function secondsOf(Lease memory lease, uint256 accrueFrom, uint256 timestamp)
        internal
        pure
        returns (uint256)
    {
        uint256 to = timestamp;
        if (lease.stopAt > 0 && lease.stopAt < to) to = lease.stopAt;
        to += lease.order.prepay;
        if (to > lease.openedAt + lease.order.maxSeconds) to = lease.openedAt + lease.order.maxSeconds;
        uint256 from = lease.openedAt;
        if (accrueFrom > from) from = accrueFrom;
        return to < from ? 0 : to - from;
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
        uint256 end = lease.openedAt + lease.order.maxSeconds;
        if (lease.stopAt > 0 && lease.stopAt < end) end = lease.stopAt;
        return end + lease.order.closeWindow;
    }

    function equal(uint96[] memory a, uint96[] memory b) internal pure returns (bool) {
        return keccak256(abi.encode(a)) == keccak256(abi.encode(b));
    }
}
