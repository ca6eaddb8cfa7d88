// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../../src/interfaces/ILeaseTypes.sol";
import {ChangeFixture} from "../../ChangeFixture.sol";

/// @notice Rows of leases that were changed: `checkpoint`, `close` and `finalize`.
contract SettleChangedTest is ChangeFixture {
    /// @dev Three members: one left with 90 units, one serves from the start, one joined at 100.
    function _changed() private returns (Live memory l) {
        l = liveOf(2);
        vm.warp(START + 100);
        leaves(l, rowOf(l, all(2, 100)), 0, 90);
        change(l, changeOf(l), joining(2));
    }

    function test_rows_that_do_not_know_the_roster_are_skipped() public {
        Live memory l = _changed();
        vm.warp(START + 3 days);
        ILeaseTypes.Settlement memory wrong = rowOf(l, all(3, 200));
        wrong.roster = new ILeaseTypes.Roster[](0);
        _skipped(wrong, "none");
        wrong.roster = new ILeaseTypes.Roster[](2);
        (wrong.roster[0], wrong.roster[1]) = (rosterOf(l), rosterOf(l));
        _skipped(wrong, "two");
        wrong = rowOf(l, all(3, 200));
        wrong.roster[0].deposit += 1;
        _skipped(wrong, "another deposit");
        wrong = rowOf(l, all(3, 200));
        wrong.roster[0].maxSeconds += 1;
        _skipped(wrong, "another length");
        wrong = rowOf(l, all(3, 200));
        wrong.roster[0].from[2] -= 1;
        _skipped(wrong, "another start");
        wrong = rowOf(l, all(3, 200));
        wrong.roster[0].until[0] = 0;
        _skipped(wrong, "another end");
        wrong = rowOf(l, all(3, 200));
        wrong.members[2].rate += 1;
        _skipped(wrong, "another added member");
        wrong = rowOf(l, all(3, 200));
        wrong.roster[0].until = new uint40[](2);
        _skipped(wrong, "too few ends");
        vm.assertEq(checkpoint(rowOf(l, all(3, 200))), 1, "right");
    }

    function test_rows_with_another_count_of_members_opened_are_skipped() public {
        Live memory l = _changed();
        vm.warp(START + 3 days);
        uint32[5] memory counts = [0, 1, 3, 4, type(uint32).max];
        for (uint256 i; i < counts.length; ++i) {
            ILeaseTypes.Settlement memory wrong = rowOf(l, all(3, 200));
            wrong.roster[0].opened = counts[i];
            _skipped(wrong, "count");
        }
    }

    function test_a_roster_of_before_a_change_is_skipped() public {
        Live memory l = _changed();
        ILeaseTypes.Settlement memory before = rowOf(l, all(3, 200));
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit += 1;
        change(l, c, nobody());
        vm.warp(START + 3 days);
        _skipped(before, "stale");
        vm.assertEq(finalize(rowOf(l)), 1, "right");
    }

    function test_a_roster_for_a_lease_that_was_never_changed_is_skipped() public {
        Live memory l = liveOf(2);
        vm.warp(START + 3 days);
        ILeaseTypes.Settlement memory wrong = rowOf(l, all(2, 200));
        wrong.roster = new ILeaseTypes.Roster[](1);
        wrong.roster[0] = rosterOf(l);
        _skipped(wrong, "not changed");
    }

    function test_closing_pays_each_its_claim_and_refunds_the_deposit_as_it_is() public {
        Live memory l = _changed();
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit = owed(l);
        change(l, c, nobody());
        vm.warp(START + 400);
        uint96[] memory claimed = all(3, 90);
        (claimed[1], claimed[2]) = (400, 300);
        uint256 outside = token.balanceOf(renter);
        ILeaseTypes.Closing memory closing_ = closingOf(l, rowOf(l, all(3, 1e9)), claimed);
        vm.assertEq(close(closing_), 1, "closed");
        uint256 charged = uint256(90) * RATE / 1e9 + uint256(400) * RATE / 1e9 + uint256(300) * RATE / 1e9;
        vm.assertEq(escrow.lease(l.d.leaseId).charged, charged, "charged");
        vm.assertEq(token.balanceOf(renter) - outside, c.deposit - charged, "refund");
        vm.assertEq(token.balanceOf(address(escrow)), FUNDS + charged, "nothing left over");
        for (uint256 i; i < 3; ++i) {
            vm.assertEq(escrow.devicesInUse(agentKey(i)), 0, "free");
        }
        vm.assertEq(escrow.rosterHash(l.d.leaseId), 0, "roster cleared");
        vm.assertEq(close(closing_), 0, "once");
    }

    function test_an_added_member_claims_within_its_own_clock() public {
        Live memory l = _changed();
        vm.warp(START + 400);
        uint96[] memory claimed = all(3, 90);
        (claimed[1], claimed[2]) = (430, 331);
        vm.assertEq(close(closingOf(l, rowOf(l, all(3, 1e9)), claimed)), 0, "a second too many");
        claimed[2] = 330;
        vm.assertEq(close(closingOf(l, rowOf(l, all(3, 1e9)), claimed)), 1, "right");
    }

    function test_finalizing_pays_all_clocks_to_their_ends() public {
        Live memory l = _changed();
        ILeaseTypes.Change memory c = changeOf(l);
        (c.dismissed, c.deposit) = (2, c.deposit + 1e6);
        change(l, c, nobody());
        vm.warp(START + MAX_SECONDS + CLOSE_WINDOW + 1);
        vm.assertEq(finalize(rowOf(l, all(3, type(uint96).max))), 1, "ended");
        uint256 charged =
            uint256(90) * RATE / 1e9 + uint256(130) * RATE / 1e9 + uint256(MAX_SECONDS - 100) * RATE / 1e9;
        vm.assertEq(escrow.lease(l.d.leaseId).charged, charged, "charged");
        vm.assertEq(escrow.paidUnitsHash(l.d.leaseId), 0, "units cleared");
    }

    function test_a_stopped_lease_that_was_changed_ends_after_its_window() public {
        Live memory l = _changed();
        vm.warp(START + 200);
        vm.prank(meter);
        escrow.stop(l.d.order, l.d.membersHash);
        vm.warp(START + 200 + CLOSE_WINDOW);
        vm.assertEq(finalize(rowOf(l)), 0, "in its last second");
        vm.warp(START + 200 + CLOSE_WINDOW + 1);
        vm.assertEq(finalize(rowOf(l, all(3, 1e9))), 1, "after it");
        uint256 charged = uint256(90) * RATE / 1e9 + uint256(230) * RATE / 1e9 + uint256(130) * RATE / 1e9;
        vm.assertEq(escrow.lease(l.d.leaseId).charged, charged, "charged");
    }

    function test_a_batch_pays_changed_and_unchanged_leases_around_wrong_rows() public {
        Live memory l = _changed();
        Live memory plain = liveOf(1);
        vm.warp(START + 400);
        ILeaseTypes.Settlement[] memory rows = new ILeaseTypes.Settlement[](4);
        rows[0] = rowOf(l, all(3, 200));
        rows[0].roster[0].opened = 9;
        rows[1] = rowOf(plain, all(1, 100));
        rows[2] = rowOf(l, all(3, 200));
        rows[2].roster[0].from = new uint40[](0);
        rows[3] = rowOf(l, all(3, 200));
        vm.assertEq(escrow.checkpoint(rows), 2, "two");
    }

    /// @dev Words that no encoder would write, in a row that is found and in one that is not.
    function test_words_wider_than_their_type_do_not_revert_a_batch() public {
        Live memory l = _changed();
        vm.warp(START + 400);
        ILeaseTypes.Settlement[] memory rows = new ILeaseTypes.Settlement[](1);
        rows[0] = rowOf(l, all(3, 200));
        bytes memory data = abi.encodeCall(escrow.checkpoint, (rows));
        uint256 spoiled;
        for (uint256 at = 4 + 32; at + 32 <= data.length; at += 32) {
            bytes32 word;
            assembly ("memory-safe") {
                word := mload(add(add(data, 0x20), at))
            }
            if (word != bytes32(uint256(START + 100))) continue; // `from` of the third
            ++spoiled;
            assembly ("memory-safe") {
                mstore(add(add(data, 0x20), at), or(word, shl(255, 1)))
            }
        }
        vm.assertEq(spoiled, 1, "one word");
        (bool done, bytes memory answer) = address(escrow).call(data);
        vm.assertTrue(done, "no revert");
        vm.assertEq(abi.decode(answer, (uint256)), 0, "skipped");
    }

    function _skipped(ILeaseTypes.Settlement memory wrong, string memory why) private {
        vm.assertEq(checkpoint(wrong), 0, why);
        vm.assertEq(finalize(wrong), 0, why);
        uint256 count = wrong.members.length;
        vm.assertEq(
            close(
                ILeaseTypes.Closing(wrong, new uint96[](count), new bytes32[](count), new bytes32[](count))
            ),
            0,
            why
        );
        vm.assertEq(leave(ILeaseTypes.Leaving(wrong, 1, 0, 0, 0)), 0, why);
    }
}
