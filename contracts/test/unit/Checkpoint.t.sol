// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {EscrowFixture} from "../EscrowFixture.sol";

contract CheckpointTest is EscrowFixture {
    uint256 private constant PER_UNIT = 555; // base units, rounded down, for one device-second at RATE

    function test_pays_operators_and_treasury_what_the_voucher_proves() public {
        Deal memory d = opened(2);
        vm.warp(START + 3600);
        uint96[] memory units = new uint96[](2);
        (units[0], units[1]) = (3600, 1800);
        vm.expectEmit(address(escrow));
        emit ILeaseTypes.Paid(d.leaseId, units, 3_000_000);
        vm.assertEq(checkpoint(row(d, units)), 1, "applied");

        vm.assertEq(escrow.balanceOf(operatorOf(0)), 2_000_000 - 10_000, "an hour at $2 less 0.5 %");
        vm.assertEq(escrow.balanceOf(operatorOf(1)), 1_000_000 - 5000, "half an hour");
        vm.assertEq(escrow.balanceOf(treasury), 15_000, "fee");
        ILeaseTypes.Lease memory lease = escrow.lease(d.leaseId);
        vm.assertEq(lease.charged, 3_000_000, "charged");
        vm.assertTrue(lease.state == ILeaseTypes.State.ACTIVE, "still open");
        bytes32 recorded = keccak256(abi.encodePacked(units));
        vm.assertEq(escrow.paidUnitsHash(d.leaseId), recorded, "units recorded");
    }

    function test_pays_the_difference_next_time() public {
        Deal memory d = opened(1);
        vm.warp(START + 100);
        checkpoint(row(d, all(1, 100)));
        uint256 first = escrow.balanceOf(operatorOf(0));
        vm.warp(START + 300);
        vm.assertEq(checkpoint(row(d, all(1, 100), all(1, 300))), 1, "applied");
        uint256 charge = uint256(300) * RATE / 1e9;
        vm.assertEq(escrow.balanceOf(operatorOf(0)), charge - charge * FEE_BPS / 10_000, "all of it");
        vm.assertGe(escrow.balanceOf(operatorOf(0)), first, "more");
    }

    function test_never_pays_faster_than_the_clock() public {
        Deal memory d = opened(1);
        vm.warp(START + 100);
        checkpoint(row(d, all(1, type(uint96).max)));
        vm.assertEq(escrow.paidUnitsHash(d.leaseId), _hash(100 + PREPAY), "elapsed and prepay");
    }

    function test_one_large_voucher_is_a_stream() public {
        Deal memory d = opened(1);
        uint96[] memory paid = new uint96[](0);
        for (uint256 t = 1000; t <= 5000; t += 1000) {
            vm.warp(START + t);
            vm.assertEq(checkpoint(row(d, paid, all(1, 1e9))), 1, "applied");
            paid = all(1, t + PREPAY);
            vm.assertEq(escrow.paidUnitsHash(d.leaseId), _hash(t + PREPAY), "up to now");
        }
    }

    function test_the_clock_of_a_member_starts_where_the_voucher_says() public {
        Deal memory d = opened(1);
        vm.warp(START + 1000);
        _accruing(d, uint40(START + 900));
        vm.assertEq(escrow.paidUnitsHash(d.leaseId), _hash(100 + PREPAY), "from accrueFrom");
    }

    function test_a_clock_cannot_start_before_the_lease_opened() public {
        Deal memory d = opened(1);
        vm.warp(START + 100);
        _accruing(d, uint40(START - 5000));
        vm.assertEq(escrow.paidUnitsHash(d.leaseId), _hash(100 + PREPAY), "from the opening");
    }

    function test_a_clock_in_the_future_pays_nothing() public {
        Deal memory d = opened(1);
        vm.warp(START + 100);
        vm.assertEq(_accruing(d, uint40(START + 100 + PREPAY)), 0, "skipped");
        vm.assertEq(_accruing(d, type(uint40).max), 0, "skipped");
    }

    function test_nothing_accrues_after_a_stop() public {
        Deal memory d = opened(1);
        vm.warp(START + 100);
        vm.prank(renter);
        escrow.stop(d.order, d.membersHash);
        vm.warp(START + 900);
        checkpoint(row(d, all(1, 1e9)));
        vm.assertEq(escrow.paidUnitsHash(d.leaseId), _hash(100 + PREPAY), "up to the stop and prepay");
    }

    function test_nothing_accrues_after_the_end_and_the_deposit_suffices() public {
        Deal memory d = opened(3);
        vm.warp(START + MAX_SECONDS + 30 minutes);
        checkpoint(row(d, all(3, type(uint96).max)));
        vm.assertLe(escrow.lease(d.leaseId).charged, d.order.deposit, "covered");
        vm.assertLe(d.order.deposit - escrow.lease(d.leaseId).charged, 3, "all but rounding");
    }

    function test_an_older_voucher_is_skipped() public {
        Deal memory d = opened(1);
        vm.warp(START + 300);
        checkpoint(row(d, all(1, 300)));
        bytes32 before = _money();
        vm.assertEq(checkpoint(row(d, all(1, 300), all(1, 200))), 0, "older");
        vm.assertEq(checkpoint(row(d, all(1, 300), all(1, 300))), 0, "same");
        vm.assertEq(_money(), before, "nothing moved");
    }

    function test_a_member_that_is_set_back_keeps_what_it_has() public {
        Deal memory d = opened(2);
        vm.warp(START + 300);
        checkpoint(row(d, all(2, 300)));
        uint256 before = escrow.balanceOf(operatorOf(0));
        uint96[] memory units = new uint96[](2);
        (units[0], units[1]) = (100, 320);
        vm.assertEq(checkpoint(row(d, all(2, 300), units)), 1, "the other is paid");
        vm.assertEq(escrow.balanceOf(operatorOf(0)), before, "kept");
        units[0] = 300;
        vm.assertEq(escrow.paidUnitsHash(d.leaseId), keccak256(abi.encodePacked(units)), "recorded");
    }

    function test_rows_that_are_wrong_are_skipped() public {
        Deal memory d = opened(2);
        vm.warp(START + 300);
        bytes32 before = _money();

        ILeaseTypes.Settlement memory wrong = row(d, all(2, 200));
        wrong.order.deposit += 1;
        vm.assertEq(checkpoint(wrong), 0, "another order");
        wrong = row(d, all(2, 200));
        wrong.members[0].rate *= 2;
        vm.assertEq(checkpoint(wrong), 0, "another rate");
        wrong = row(d, all(2, 200));
        wrong.members = new ILeaseTypes.Member[](0);
        vm.assertEq(checkpoint(wrong), 0, "no members");
        vm.assertEq(checkpoint(row(d, all(2, 100), all(2, 200))), 0, "paid units that were not recorded");
        vm.assertEq(checkpoint(row(d, all(3, 200))), 0, "too many units");
        vm.assertEq(checkpoint(row(d, all(3, 200))), 0, "too many units");
        wrong = row(d, all(2, 200));
        wrong.voucher = voucher(d.leaseId, all(2, 200), new uint40[](1), METER_KEY);
        vm.assertEq(checkpoint(wrong), 0, "too few clocks");
        wrong.voucher = voucher(d.leaseId, all(2, 200), new uint40[](3), METER_KEY);
        vm.assertEq(checkpoint(wrong), 0, "too many clocks");
        wrong.voucher = voucher(d.leaseId, all(2, 200), new uint40[](0), METER_KEY);
        vm.assertEq(checkpoint(wrong), 0, "no clocks");
        wrong.voucher = voucher(d.leaseId, new uint96[](0), new uint40[](2), METER_KEY);
        vm.assertEq(checkpoint(wrong), 0, "clocks alone");
        vm.assertEq(checkpoint(rowWithoutVoucher(d, new uint96[](0))), 0, "no voucher");
        wrong = row(d, all(2, 200));
        wrong.voucher.units[0] += 1;
        vm.assertEq(checkpoint(wrong), 0, "changed after it was signed");
        wrong.voucher = voucher(keccak256("another"), all(2, 200), new uint40[](2), METER_KEY);
        vm.assertEq(checkpoint(wrong), 0, "for another lease");

        vm.assertEq(_money(), before, "nothing moved");
        vm.assertEq(checkpoint(row(d, all(2, 200))), 1, "right");
    }

    function test_only_the_meter_key_vouches() public {
        Deal memory d = opened(1);
        vm.warp(START + 300);
        uint256[3] memory others = [RENTER_KEY, agentSecret(0), uint256(7)];
        for (uint256 i; i < others.length; ++i) {
            ILeaseTypes.Settlement memory wrong = rowWithoutVoucher(d, new uint96[](0));
            wrong.voucher = voucher(d.leaseId, all(1, 200), new uint40[](1), others[i]);
            vm.assertEq(checkpoint(wrong), 0, "skipped");
        }
        vm.assertEq(checkpoint(row(d, all(1, 200))), 1, "the meter's own");
    }

    function test_a_later_row_has_to_know_what_was_paid() public {
        Deal memory d = opened(2);
        vm.warp(START + 300);
        checkpoint(row(d, all(2, 200)));
        bytes32 before = _money();
        vm.assertEq(checkpoint(row(d, all(2, 250))), 0, "nothing paid");
        vm.assertEq(checkpoint(row(d, all(2, 0), all(2, 250))), 0, "zero paid");
        vm.assertEq(checkpoint(row(d, all(2, 199), all(2, 250))), 0, "less paid");
        vm.assertEq(checkpoint(row(d, all(1, 200), all(2, 250))), 0, "fewer members");
        vm.assertEq(checkpoint(row(d, all(3, 200), all(2, 250))), 0, "more members");
        vm.assertEq(_money(), before, "nothing moved");
        vm.assertEq(checkpoint(row(d, all(2, 200), all(2, 250))), 1, "right");
    }

    function test_a_closed_lease_pays_nothing() public {
        Deal memory d = opened(1);
        vm.warp(START + 300);
        close(closing(d, row(d, all(1, 100)), all(1, 100)));
        bytes32 before = _money();
        vm.assertEq(checkpoint(row(d, all(1, 300))), 0, "as if never paid");
        vm.assertEq(checkpoint(row(d, all(1, 100), all(1, 300))), 0, "as it was paid");
        vm.assertEq(_money(), before, "nothing moved");
    }

    function test_a_batch_pays_its_good_rows() public {
        Deal memory a = opened(1);
        Deal memory b = opened(2);
        vm.warp(START + 300);
        ILeaseTypes.Settlement[] memory rows = new ILeaseTypes.Settlement[](5);
        rows[0] = row(a, all(1, type(uint96).max));
        rows[0].voucher.r = 0;
        rows[1] = row(b, all(2, 200));
        rows[2] = rows[1]; // no longer new
        rows[3] = row(b, all(2, 200), all(2, 250));
        rows[4] = row(a, all(1, 200));
        vm.assertEq(escrow.checkpoint(rows), 3, "applied");
        vm.assertEq(escrow.lease(a.leaseId).charged, uint256(200) * RATE / 1e9, "a");
        vm.assertEq(escrow.lease(b.leaseId).charged, 2 * (uint256(250) * RATE / 1e9), "b");
    }

    function test_units_too_small_to_charge_are_recorded_and_announced() public {
        ILeaseTypes.Ask memory ask = askOf(0);
        ask.rate = 1;
        ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](1);
        asks[0] = matched(0, ask, 1);
        Deal memory d = deal(orderFor(asks), asks);
        open(d);
        vm.warp(START + 100);
        vm.expectEmit(address(escrow));
        emit ILeaseTypes.Paid(d.leaseId, all(1, 50), 0);
        checkpoint(row(d, all(1, 50)));
        vm.assertEq(escrow.paidUnitsHash(d.leaseId), _hash(50), "recorded");
    }

    function test_many_checkpoints_take_the_fee_of_one() public {
        Deal memory once = opened(1);
        Deal memory often = opened(1);
        uint96[] memory paid = new uint96[](0);
        for (uint256 i = 1; i <= 50; ++i) {
            vm.warp(START + i);
            checkpoint(row(often, paid, all(1, i)));
            paid = all(1, i);
        }
        uint256 fees = escrow.balanceOf(treasury);
        uint256 earned = escrow.balanceOf(operatorOf(0));
        checkpoint(row(once, all(1, 50)));
        vm.assertEq(escrow.balanceOf(treasury) - fees, fees, "fee");
        vm.assertEq(escrow.balanceOf(operatorOf(0)) - earned, earned, "operator");
        vm.assertGe(earned, 50 * PER_UNIT - 50 * PER_UNIT * FEE_BPS / 10_000, "no dust lost");
    }

    function _accruing(Deal memory d, uint40 from) private returns (uint256) {
        uint40[] memory accrueFrom = new uint40[](1);
        accrueFrom[0] = from;
        ILeaseTypes.Settlement memory settlement = rowWithoutVoucher(d, new uint96[](0));
        settlement.voucher = voucher(d.leaseId, all(1, 1e9), accrueFrom, METER_KEY);
        return checkpoint(settlement);
    }

    function _hash(uint256 units) private pure returns (bytes32) {
        return keccak256(abi.encode(units));
    }

    function _money() private view returns (bytes32) {
        return keccak256(
            abi.encode(
                escrow.balanceOf(operatorOf(0)),
                escrow.balanceOf(operatorOf(1)),
                escrow.balanceOf(treasury),
                token.balanceOf(address(escrow))
            )
        );
    }
}
