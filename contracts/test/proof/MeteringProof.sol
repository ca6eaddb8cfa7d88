// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Metering} from "../../src/libraries/Metering.sol";

/// @notice What is proven of `Metering` for every value of every type, by a solver and not by trying. See README.md.
/// @dev Each function is one theorem: what its `require`s let through, its `assert`s hold for. Arithmetic outside of
/// `Metering` is checked, so that a sum here that would overflow has no say.
contract MeteringProof {
    uint256 private constant SCALE = 1e9;

    /// @dev The clock is the first of three, and not less.
    function prove_the_clock_is_the_first_of_now_stop_and_end(
        uint40 timestamp,
        uint40 openedAt,
        uint40 stopAt,
        uint40 maxSeconds,
        uint16 prepay
    ) external pure {
        uint256 until = Metering.payableUntil(timestamp, openedAt, stopAt, maxSeconds, prepay);
        uint256 byNow = uint256(timestamp) + prepay;
        uint256 byStop = uint256(stopAt) + prepay;
        uint256 byEnd = uint256(openedAt) + maxSeconds;
        assert(until <= byNow && until <= byEnd);
        assert(stopAt == 0 || until <= byStop);
        assert(until == byNow || until == byEnd || (stopAt != 0 && until == byStop));
    }

    /// @dev It never runs backwards, and a stop only shortens it.
    function prove_the_clock_never_runs_backwards(
        uint40 timestamp,
        uint40 later,
        uint40 openedAt,
        uint40 stopAt,
        uint40 maxSeconds,
        uint16 prepay
    ) external pure {
        require(timestamp <= later);
        uint256 before = Metering.payableUntil(timestamp, openedAt, stopAt, maxSeconds, prepay);
        assert(before <= Metering.payableUntil(later, openedAt, stopAt, maxSeconds, prepay));
        assert(before <= Metering.payableUntil(timestamp, openedAt, 0, maxSeconds, prepay));
    }

    /// @dev After a stop and its prepay nothing accrues, however late it is.
    function prove_nothing_accrues_after_a_stop(
        uint40 timestamp,
        uint40 openedAt,
        uint40 stopAt,
        uint40 maxSeconds,
        uint16 prepay
    ) external pure {
        require(stopAt != 0 && stopAt <= timestamp);
        uint256 atStop = Metering.payableUntil(stopAt, openedAt, stopAt, maxSeconds, prepay);
        assert(Metering.payableUntil(timestamp, openedAt, stopAt, maxSeconds, prepay) == atStop);
    }

    /// @dev The smaller of voucher and clock; nothing wraps.
    function prove_units_are_the_smaller_of_voucher_and_clock(
        uint96 units,
        uint32 devices,
        uint40 openedAt,
        uint40 accrueFrom,
        uint48 until
    ) external pure {
        uint256 payableNow = Metering.payableUnits(units, devices, openedAt, accrueFrom, until);
        uint256 from = accrueFrom > openedAt ? accrueFrom : openedAt;
        uint256 cap = until > from ? uint256(devices) * (until - from) : 0;
        assert(payableNow == (units < cap ? units : cap));
    }

    /// @dev Rounded down, by less than one base unit; nothing wraps.
    function prove_a_charge_is_rounded_down_by_less_than_one(uint96 units, uint64 rate) external pure {
        uint256 product = uint256(units) * rate;
        uint256 charge = Metering.chargeDown(units, rate);
        assert(charge * SCALE <= product);
        assert(product < charge * SCALE + SCALE);
    }

    /// @dev Rounded up, by less than one base unit; nothing wraps.
    function prove_the_largest_charge_is_rounded_up_by_less_than_one(
        uint32 devices,
        uint64 rate,
        uint48 seconds_
    ) external pure {
        uint256 product = uint256(devices) * rate * seconds_;
        uint256 largest = Metering.largestChargeUp(devices, rate, seconds_);
        assert(largest * SCALE >= product);
        assert(largest * SCALE < product + SCALE);
    }

    /// @dev What both roundings together mean: the deposit covers every charge for units within its seconds.
    function prove_a_charge_never_passes_what_was_counted_for_it(
        uint96 units,
        uint32 devices,
        uint64 rate,
        uint48 seconds_
    ) external pure {
        uint256 most = uint256(devices) * seconds_;
        require(units <= most);
        assert(uint256(units) * rate <= most * rate);
        assert(Metering.chargeDown(units, rate) <= Metering.largestChargeUp(devices, rate, seconds_));
    }

    /// @dev A later payment never lowers a charge: what is added can be subtracted unchecked.
    function prove_charges_grow_with_units(uint96 units, uint96 more, uint64 rate) external pure {
        require(units <= more);
        assert(Metering.chargeDown(units, rate) <= Metering.chargeDown(more, rate));
    }

    /// @dev A fee is part of its charge, at most a half percent, and grows with it: steps can be subtracted unchecked.
    function prove_fees_grow_with_charges_and_stay_below_half_a_percent(
        uint128 charge,
        uint128 more,
        uint16 feeBps
    ) external pure {
        require(feeBps <= 50 && charge <= more);
        uint256 fee = Metering.feeDown(charge, feeBps);
        assert(fee <= charge);
        assert(fee * 200 <= charge);
        assert(fee <= Metering.feeDown(more, feeBps));
        assert(Metering.feeDown(more, feeBps) - fee <= more - charge);
    }

    /// @dev Two payments take the fee of one; so do any number, one after the other.
    function prove_steps_take_the_fee_of_one_payment(uint128 first, uint128 second, uint16 feeBps)
        external
        pure
    {
        require(feeBps <= 50 && first <= second);
        uint256 before = Metering.feeDown(first, feeBps);
        uint256 step = Metering.feeDown(second, feeBps) - before;
        assert(before + step == Metering.feeDown(second, feeBps));
    }

    /// @dev The rule of every change: whatever vouchers come, whenever they are posted, whether it was stopped or not, a
    /// member's units are at most devices times the seconds that the deposit was counted for.
    function prove_no_voucher_passes_the_seconds_that_are_owed(
        uint96 units,
        uint32 devices,
        uint40 openedAt,
        uint40 from,
        uint40 accrueFrom,
        uint40 timestamp,
        uint40 stopAt,
        uint40 maxSeconds,
        uint16 prepay,
        uint40 memberUntil
    ) external pure {
        uint256 owedSeconds = _owedSeconds(openedAt, from, stopAt, maxSeconds, prepay, memberUntil);
        uint256 until = Metering.payableUntil(timestamp, openedAt, stopAt, maxSeconds, prepay);
        if (memberUntil != 0 && memberUntil < until) until = memberUntil;
        uint256 start = from > openedAt ? from : openedAt;
        uint256 payableNow = Metering.payableUnits(units, devices, start, accrueFrom, until);
        assert(payableNow <= uint256(devices) * owedSeconds);
    }

    /// @dev As `Changing._countOwed` counts them.
    function _owedSeconds(
        uint40 openedAt,
        uint40 from,
        uint40 stopAt,
        uint40 maxSeconds,
        uint16 prepay,
        uint40 memberUntil
    ) private pure returns (uint256) {
        uint256 end = uint256(openedAt) + maxSeconds;
        if (stopAt != 0 && uint256(stopAt) + prepay < end) end = uint256(stopAt) + prepay;
        uint256 until = memberUntil == 0 || memberUntil > end ? end : memberUntil;
        uint256 start = from > openedAt ? from : openedAt;
        return until > start ? until - start : 0;
    }
}
