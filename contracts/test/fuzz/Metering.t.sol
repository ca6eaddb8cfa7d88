// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Metering} from "../../src/libraries/Metering.sol";
import {Test} from "../Test.sol";

/// @notice `Metering` computes unchecked: every property here is recomputed with checked arithmetic over the whole
/// range of the types, so that an overflow would show.
contract MeteringTest is Test {
    function testFuzz_the_clock_runs_to_the_first_of_now_stop_and_end(
        uint40 timestamp,
        uint40 openedAt,
        uint40 stopAt,
        uint40 maxSeconds,
        uint16 prepay
    ) public pure {
        uint256 until = Metering.payableUntil(timestamp, openedAt, stopAt, maxSeconds, prepay);
        vm.assertLe(until, uint256(timestamp) + prepay, "never ahead of the clock");
        vm.assertLe(until, uint256(openedAt) + maxSeconds, "never behind the end");
        if (stopAt != 0) vm.assertLe(until, uint256(stopAt) + prepay, "never behind the stop");
        bool isOne = until == uint256(timestamp) + prepay || until == uint256(openedAt) + maxSeconds
            || (stopAt != 0 && until == uint256(stopAt) + prepay);
        vm.assertTrue(isOne, "and exactly one of them");
    }

    function testFuzz_units_are_capped_by_voucher_and_clock(
        uint96 units,
        uint32 devices,
        uint40 openedAt,
        uint40 accrueFrom,
        uint40 maxSeconds,
        uint40 elapsed
    ) public pure {
        uint256 until = uint256(openedAt) + (elapsed < maxSeconds ? elapsed : maxSeconds);
        uint256 from = accrueFrom < openedAt ? openedAt : accrueFrom;
        uint256 proven = Metering.payableUnits(units, devices, openedAt, accrueFrom, until);
        uint256 cap = until > from ? uint256(devices) * (until - from) : 0;
        vm.assertEq(proven, cap < units ? cap : units, "the smaller");
    }

    function testFuzz_words_wider_than_their_type_prove_no_more_than_the_clock(
        uint256 units,
        uint32 devices,
        uint40 openedAt,
        uint256 accrueFrom,
        uint40 elapsed
    ) public pure {
        uint256 until = uint256(openedAt) + elapsed;
        uint256 proven = Metering.payableUnits(units, devices, openedAt, accrueFrom, until);
        vm.assertLe(proven, uint256(devices) * elapsed, "capped");
        vm.assertLe(proven, units, "proven");
    }

    function testFuzz_a_charge_is_rounded_down_by_less_than_one(uint96 units, uint64 rate) public pure {
        uint256 charge = Metering.chargeDown(units, rate);
        uint256 exact = uint256(units) * rate;
        vm.assertLe(charge * 1e9, exact, "down");
        vm.assertLt(exact - charge * 1e9, 1e9, "by less than one");
    }

    function testFuzz_a_charge_never_passes_the_largest(
        uint32 devices,
        uint64 rate,
        uint40 maxSeconds,
        uint96 units
    ) public pure {
        uint256 most = uint256(devices) * maxSeconds;
        uint256 paid = units < most ? units : most;
        uint256 largest = Metering.largestChargeUp(devices, rate, maxSeconds);
        vm.assertLe(Metering.chargeDown(paid, rate), largest, "covered");
        vm.assertGe(largest * 1e9, most * rate, "up");
        vm.assertLt(largest * 1e9 - most * rate, 1e9, "by less than one");
    }

    function testFuzz_steps_pay_what_one_payment_would(uint96[8] memory steps, uint64 rate, uint16 feeBps)
        public
        pure
    {
        feeBps = uint16(bound(feeBps, 0, 50));
        uint256 units;
        uint256 charge;
        uint256 fee;
        for (uint256 i; i < steps.length; ++i) {
            uint256 next = units + steps[i] % (type(uint96).max / 8);
            uint256 step = Metering.chargeDown(next, rate) - Metering.chargeDown(units, rate);
            fee += Metering.feeDown(charge + step, feeBps) - Metering.feeDown(charge, feeBps);
            charge += step;
            units = next;
        }
        vm.assertEq(charge, Metering.chargeDown(units, rate), "charge");
        vm.assertEq(fee, charge * feeBps / 10_000, "fee");
        vm.assertLe(fee * 10_000, charge * 50, "at most half a percent");
    }
}
