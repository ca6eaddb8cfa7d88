// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The arithmetic of a lease: from device-seconds to money
/// @notice Pure. Mirrored bit by bit in `packages/protocol`; `packages/protocol/vectors/charges.json` is checked here
/// and there.
/// @dev Nothing here can overflow for values of the widths that `ILeaseEscrow` gives them; each function says why.
library Metering {
    /// @notice Rates are in 1e-9 token base units per device-second.
    uint256 internal constant RATE_SCALE = 1e9;
    uint256 internal constant BASIS_POINTS = 10_000;

    /// @notice The second up to which vouchers can be paid right now.
    /// @param stopAt 0 while nobody stopped the lease
    /// @return unix seconds; min(min(timestamp, stopAt) + prepay, openedAt + maxSeconds)
    function payableUntil(
        uint256 timestamp,
        uint256 openedAt,
        uint256 stopAt,
        uint256 maxSeconds,
        uint256 prepay
    ) internal pure returns (uint256) {
        // Safe: sums of uint40 and uint16 values and of the block's time.
        unchecked {
            uint256 clock = (stopAt != 0 && stopAt < timestamp ? stopAt : timestamp) + prepay;
            uint256 end = openedAt + maxSeconds;
            return clock < end ? clock : end;
        }
    }

    /// @notice Device-seconds that a voucher proves and the clock allows.
    /// @param accrueFrom the member's own start; before `openedAt` it has no effect
    function payableUnits(uint256 units, uint256 devices, uint256 openedAt, uint256 accrueFrom, uint256 until)
        internal
        pure
        returns (uint256)
    {
        uint256 from = accrueFrom > openedAt ? accrueFrom : openedAt;
        if (until <= from) return 0;
        // Safe: until <= openedAt + maxSeconds, so at most uint40 seconds times uint32 devices.
        unchecked {
            uint256 cap = devices * (until - from);
            return units < cap ? units : cap;
        }
    }

    /// @notice Token base units for `units` device-seconds, rounded down: in the renter's favour by less than one.
    function chargeDown(uint256 units, uint256 rate) internal pure returns (uint256) {
        // Safe: units are uint96 and rates uint64.
        unchecked {
            return units * rate / RATE_SCALE;
        }
    }

    /// @notice The most a member can ever be charged, rounded up: what a deposit has to hold.
    function largestChargeUp(uint256 devices, uint256 rate, uint256 maxSeconds)
        internal
        pure
        returns (uint256)
    {
        // Safe: uint32 * uint64 * uint40 is 136 bits.
        unchecked {
            return (devices * rate * maxSeconds + RATE_SCALE - 1) / RATE_SCALE;
        }
    }

    /// @notice The protocol's part of everything a member was charged so far, rounded down.
    /// @dev Taken of the running total: the fee of a step is the difference of two calls, so that no number of steps
    /// can round it up or away.
    function feeDown(uint256 charge, uint256 feeBps) internal pure returns (uint256) {
        // Safe: a charge has at most 160 bits.
        unchecked {
            return charge * feeBps / BASIS_POINTS;
        }
    }
}
