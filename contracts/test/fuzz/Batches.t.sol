// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseCore} from "../../src/interfaces/ILeaseCore.sol";
import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {ChangeFixture} from "../ChangeFixture.sol";

/// @notice Rows of any content around good rows: a batch never reverts and the good rows are always paid.
contract BatchesTest is ChangeFixture {
    /// @dev A row of any content, with one roster from the fuzzer, none, once or twice: arrays of arrays take it minutes.
    struct Junk {
        ILeaseTypes.Order order;
        ILeaseTypes.Member[] members;
        uint96[] paidUnits;
        ILeaseTypes.Roster roster;
        uint8 rosters;
        ILeaseTypes.Voucher voucher;
    }

    function testFuzz_junk_never_spoils_a_checkpoint(Junk calldata junk) public {
        Deal memory d = opened(2);
        vm.warp(START + 300);
        ILeaseTypes.Settlement[] memory rows = new ILeaseTypes.Settlement[](3);
        (rows[0], rows[1], rows[2]) = (_row(junk), row(d, all(2, 200)), _row(junk));
        vm.assertEq(escrow.checkpoint(rows), 1, "the good one");
    }

    function testFuzz_junk_never_spoils_a_close(
        Junk calldata junk,
        uint96[] calldata claimed,
        bytes32[] calldata r,
        bytes32[] calldata vs
    ) public {
        Deal memory d = opened(2);
        vm.warp(START + 300);
        ILeaseTypes.Closing[] memory rows = new ILeaseTypes.Closing[](3);
        rows[0] = ILeaseTypes.Closing(_row(junk), claimed, r, vs);
        rows[1] = closing(d, row(d, all(2, 200)), all(2, 200));
        rows[2] = ILeaseTypes.Closing(row(d, all(2, 200)), claimed, r, vs);
        vm.assertEq(escrow.close(rows), 1, "the good one");
    }

    function testFuzz_junk_never_spoils_a_leave(
        Junk calldata junk,
        uint32 member,
        uint96 claimed,
        bytes32 r,
        bytes32 vs
    ) public {
        Live memory l = liveOf(2);
        vm.warp(START + 300);
        ILeaseTypes.Leaving[] memory rows = new ILeaseTypes.Leaving[](3);
        rows[0] = ILeaseTypes.Leaving(_row(junk), member, claimed, r, vs);
        rows[1] = leavingOf(l, rowOf(l, all(2, 200)), 1, 200);
        rows[2] = ILeaseTypes.Leaving(rowOf(l, all(2, 200)), member, claimed, r, vs);
        vm.assertEq(escrow.leave(rows), 1, "the good one");
    }

    function testFuzz_junk_never_spoils_a_finalize(Junk calldata junk) public {
        Deal memory d = opened(2);
        vm.warp(START + 30 days);
        ILeaseTypes.Settlement[] memory rows = new ILeaseTypes.Settlement[](3);
        (rows[0], rows[1], rows[2]) = (_row(junk), row(d, all(2, 200)), _row(junk));
        vm.assertEq(escrow.finalize(rows), 1, "the good one");
    }

    /// @dev An open lease with everything else chosen at random: arrays of any length, any signature.
    function testFuzz_an_open_lease_with_any_evidence_pays_nothing(
        uint96[] calldata paid,
        ILeaseTypes.Voucher calldata evidence,
        uint96[] calldata claimed,
        bytes32[] calldata r,
        bytes32[] calldata vs
    ) public {
        Deal memory d = opened(2);
        vm.warp(START + 30 days);
        ILeaseTypes.Settlement memory settlement =
            ILeaseTypes.Settlement(d.order, d.members, paid, new ILeaseTypes.Roster[](0), evidence);
        vm.assertEq(checkpoint(settlement), 0, "checkpoint");
        vm.assertEq(close(ILeaseTypes.Closing(settlement, claimed, r, vs)), 0, "close");
        vm.assertEq(escrow.lease(d.leaseId).charged, 0, "nothing paid");
    }

    /// @dev A changed lease with any roster but its own: nothing is found.
    function testFuzz_a_changed_lease_with_any_roster_is_skipped(
        ILeaseTypes.Roster calldata junk,
        uint8 rosters,
        uint96[] calldata claimed
    ) public {
        Live memory l = liveOf(2);
        vm.warp(START + 300);
        leaves(l, rowOf(l), 0, 0);
        ILeaseTypes.Settlement memory settlement = rowOf(l, all(2, 200));
        settlement.roster = _rosters(junk, rosters);
        bytes32[] memory none;
        vm.assertEq(checkpoint(settlement), 0, "checkpoint");
        vm.assertEq(close(ILeaseTypes.Closing(settlement, claimed, none, none)), 0, "close");
        vm.assertEq(leave(leavingOf(l, settlement, 1, 200)), 0, "leave");
        vm.warp(START + 30 days);
        vm.assertEq(finalize(settlement), 0, "finalize");
        vm.assertEq(finalize(rowOf(l, all(2, 200))), 1, "its own");
    }

    /// @dev As above, but of the right lengths, and signed by the meter key: only the clock is left to hold it.
    function testFuzz_signed_vouchers_of_any_numbers_pay_at_most_the_clock(
        uint96[3] calldata anyUnits,
        uint40[3] calldata anyFrom,
        uint32 elapsed
    ) public {
        Deal memory d = opened(3);
        uint256 until = uint256(START) + elapsed;
        vm.warp(until);
        (uint96[] memory units, uint40[] memory from) = (new uint96[](3), new uint40[](3));
        for (uint256 i; i < 3; ++i) {
            (units[i], from[i]) = (anyUnits[i], anyFrom[i]);
        }
        ILeaseTypes.Settlement memory settlement = rowWithoutVoucher(d, new uint96[](0));
        settlement.voucher = voucher(d.leaseId, units, from, METER_KEY);
        checkpoint(settlement);
        uint256 secondsAtMost = uint256(elapsed) + PREPAY < MAX_SECONDS ? elapsed + PREPAY : MAX_SECONDS;
        vm.assertLe(escrow.lease(d.leaseId).charged, 3 * (secondsAtMost * RATE / 1e9), "clock");
        vm.assertLe(escrow.lease(d.leaseId).charged, d.order.deposit, "deposit");
    }

    /// @dev Words that no encoder would write, in place of units and clocks.
    function testFuzz_words_wider_than_their_type_do_not_revert_a_batch(uint256 wide, uint8 at) public {
        Deal memory d = opened(2);
        vm.warp(START + 300);
        ILeaseTypes.Settlement[] memory rows = new ILeaseTypes.Settlement[](1);
        rows[0] = row(d, all(2, 0xabcdef));
        bytes memory data = abi.encodeCall(ILeaseCore.checkpoint, (rows));
        uint256 found = _find(data, 0xabcdef, at % 2);
        assembly ("memory-safe") {
            mstore(add(add(data, 0x20), found), wide)
        }
        (bool done,) = address(escrow).call(data);
        vm.assertTrue(done, "no revert");
        if (wide != 0xabcdef) {
            vm.assertEq(escrow.lease(d.leaseId).charged, 0, "another digest, no signature");
        }
    }

    function _row(Junk calldata junk) private pure returns (ILeaseTypes.Settlement memory) {
        return ILeaseTypes.Settlement(
            junk.order, junk.members, junk.paidUnits, _rosters(junk.roster, junk.rosters), junk.voucher
        );
    }

    function _rosters(ILeaseTypes.Roster calldata roster, uint8 seed)
        private
        pure
        returns (ILeaseTypes.Roster[] memory rosters)
    {
        rosters = new ILeaseTypes.Roster[](seed % 3);
        for (uint256 i; i < rosters.length; ++i) {
            rosters[i] = roster;
        }
    }

    function _find(bytes memory data, uint256 word, uint256 nth) private pure returns (uint256 at) {
        for (at = 4; at + 32 <= data.length; at += 32) {
            uint256 value;
            assembly ("memory-safe") {
                value := mload(add(add(data, 0x20), at))
            }
            if (value != word) continue;
            if (nth == 0) return at;
            --nth;
        }
        revert("word not found");
    }
}
