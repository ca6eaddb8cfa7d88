// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../../src/interfaces/ILeaseTypes.sol";
import {ChangeFixture} from "../../ChangeFixture.sol";
import {Wallet} from "../../Wallet.sol";

/// @notice Who may change a lease, with what knowledge of it, and until when.
contract ChangeTest is ChangeFixture {
    function test_announces_what_the_lease_is_now() public {
        Live memory l = liveOf(2);
        vm.warp(START + 100);
        ILeaseTypes.Change memory c = changeOf(l);
        (c.dismissed, c.deposit) = (1, c.deposit + 100e6);
        ILeaseTypes.MatchedAsk[] memory added = joining(2);
        ILeaseTypes.Roster memory after_ = rosterAfter(l, c, 1);
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        ILeaseTypes.Member[] memory joined = membersOf(added);
        vm.expectEmit(address(escrow));
        emit ILeaseTypes.Changed(l.d.leaseId, after_, joined);
        vm.prank(renter);
        escrow.change(settlement, c, added, noAsks(), "");
        noteChange(l, c, added);
    }

    function test_a_change_of_nothing_changes_nothing_but_that() public {
        Live memory l = liveOf(2);
        uint256 before = escrow.balanceOf(renter);
        change(l, changeOf(l), nobody());
        vm.assertEq(escrow.balanceOf(renter), before, "no money moved");
        vm.assertEq(escrow.lease(l.d.leaseId).charged, 0, "nothing charged");
        change(l, changeOf(l), nobody());
        vm.warp(START + 60);
        vm.assertEq(close(closingOf(l, rowOf(l, all(2, 60)), all(2, 60))), 1, "closes as before");
    }

    // ---------------------------------------------------------------- who

    function test_anybody_brings_the_renters_signature() public {
        Live memory l = liveOf(1);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit += 5e6;
        bytes memory signature = sign(RENTER_KEY, digestOf(l, c, nobody()));
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        vm.prank(relayer);
        escrow.change(settlement, c, nobody(), noAsks(), signature);
        noteChange(l, c, nobody());
        vm.assertEq(escrow.balanceOf(renter), FUNDS - 5e6, "from the balance");
    }

    function test_a_contract_wallet_says_for_itself_what_it_signed() public {
        Wallet wallet = new Wallet(vm.addr(5));
        fund(address(wallet), 1e12);
        Deal memory d = dealOf(1);
        d.order.renter = address(wallet);
        d = deal(d.order, d.asks);
        open(d);
        Live memory l = live(d, new uint256[](1));
        ILeaseTypes.Change memory c = changeOf(l);
        bytes memory signature = sign(5, digestOf(l, c, nobody()));
        escrow.change(rowOf(l), c, nobody(), noAsks(), signature);
        noteChange(l, c, nobody());
        c = changeOf(l);
        signature = sign(5, digestOf(l, c, nobody()));
        wallet.refuseEverything();
        _refused(l, c, nobody(), signature, _badSignature(address(wallet)));
    }

    function test_nobody_elses_word_changes_a_lease() public {
        Live memory l = liveOf(1);
        ILeaseTypes.Change memory c = changeOf(l);
        bytes32 digest = digestOf(l, c, nobody());
        bytes memory expected = _badSignature(renter);
        _refused(l, c, nobody(), sign(METER_KEY, digest), expected);
        _refused(l, c, nobody(), sign(SESSION_KEY, digest), expected);
        _refused(l, c, nobody(), sign(agentSecret(0), digest), expected);
        _refused(l, c, nobody(), sign(RENTER_KEY, keccak256("another")), expected);
        _refused(l, c, nobody(), "", expected);
    }

    function test_the_signature_binds_every_field_and_the_lease() public {
        Live memory l = liveOf(2);
        Live memory other = liveOf(2);
        vm.warp(START + 100);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit += 100e6;
        bytes memory signature = sign(RENTER_KEY, digestOf(l, c, joining(2)));
        bytes memory expected = _badSignature(renter);
        _refused(other, c, joining(2), signature, expected);
        _refused(l, c, joining(3), signature, expected);
        _refused(l, c, nobody(), signature, expected);
        c.dismissed = 1;
        _refused(l, c, joining(2), signature, expected);
        c.dismissed = 0;
        c.deposit += 1;
        _refused(l, c, joining(2), signature, expected);
        c.deposit -= 1;
        c.changeBy -= 1;
        _refused(l, c, joining(2), signature, expected);
        c.changeBy += 1;
        escrow.change(rowOf(l), c, joining(2), noAsks(), signature);
    }

    /// @dev Each change is of the lease as it was: raising the deposit cannot be played again.
    function test_a_signature_changes_once() public {
        Live memory l = liveOf(1);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit += 5e6;
        bytes memory signature = sign(RENTER_KEY, digestOf(l, c, nobody()));
        escrow.change(rowOf(l), c, nobody(), noAsks(), signature);
        noteChange(l, c, nobody());
        _refused(l, c, nobody(), signature, _stale(l));
    }

    // ---------------------------------------------------------------- what is known of the lease

    function test_a_row_that_does_not_know_the_lease_is_stale() public {
        Live memory l = liveOf(2);
        vm.warp(START + 100);
        checkpoint(rowOf(l, all(2, 60)));
        ILeaseTypes.Change memory c = changeOf(l);
        _refused(l, c, nobody(), "", _stale(l)); // paid units left out
        l.paid = all(2, 61);
        _refused(l, c, nobody(), "", _stale(l));
        l.paid = all(2, 60);
        c.before = keccak256("another");
        _refused(l, c, nobody(), "", _stale(l));
        c.before = 0;
        change(l, c, nobody());
        _refused(l, c, nobody(), "", _stale(l)); // `before` of before the change
        c.before = escrow.rosterHash(l.d.leaseId);
        l.roster[0].deposit += 1;
        _refused(l, c, nobody(), "", _stale(l));
        l.roster[0].deposit -= 1;
        l.roster[0].until[0] = 1;
        _refused(l, c, nobody(), "", _stale(l));
        l.roster[0].until[0] = 0;
        ILeaseTypes.Roster[] memory kept = l.roster;
        l.roster = new ILeaseTypes.Roster[](0);
        _refused(l, c, nobody(), "", _stale(l));
        l.roster = new ILeaseTypes.Roster[](2);
        (l.roster[0], l.roster[1]) = (kept[0], kept[0]);
        _refused(l, c, nobody(), "", _stale(l));
        l.roster = kept;
        change(l, c, nobody());
    }

    function test_a_lease_that_is_not_open_cannot_be_changed() public {
        Deal memory d = dealOf(1);
        Live memory l = live(d, new uint256[](1));
        ILeaseTypes.Change memory c = changeOf(l);
        bytes memory expected = abi.encodeWithSelector(ILeaseTypes.NotActive.selector, d.leaseId);
        _refused(l, c, nobody(), "", expected);
        open(d);
        close(closing(d, rowWithoutVoucher(d, new uint96[](0)), all(1, 0)));
        _refused(l, c, nobody(), "", expected);
    }

    function test_a_change_holds_to_its_last_second() public {
        Live memory l = liveOf(1);
        ILeaseTypes.Change memory c = changeOf(l);
        c.changeBy = uint40(START - 1);
        _refused(l, c, nobody(), "", abi.encodeWithSelector(ILeaseTypes.SignatureExpired.selector, START - 1));
        c.changeBy = 0;
        _refused(l, c, nobody(), "", abi.encodeWithSelector(ILeaseTypes.SignatureExpired.selector, 0));
        c.changeBy = uint40(START);
        change(l, c, nobody());
    }

    // ---------------------------------------------------------------- after a stop, after the end

    function test_after_a_stop_only_the_deposit_is_lowered() public {
        Live memory l = liveOf(2);
        vm.warp(START + 100);
        vm.prank(renter);
        escrow.stop(l.d.order, l.d.membersHash);
        vm.warp(START + 200);
        bytes memory expected =
            abi.encodeWithSelector(ILeaseTypes.AlreadyStopping.selector, l.d.leaseId, START + 100);
        ILeaseTypes.Change memory c = changeOf(l);
        _refused(l, c, joining(2), "", expected);
        c.dismissed = 1;
        _refused(l, c, nobody(), "", expected);
        c = changeOf(l);
        c.maxSeconds += 1;
        _refused(l, c, nobody(), "", expected);
        c.maxSeconds -= 2;
        _refused(l, c, nobody(), "", expected);
        c = changeOf(l);
        uint96 needed = owed(l);
        vm.assertEq(needed, 2 * ((uint256(130) * RATE + 1e9 - 1) / 1e9), "until stop and prepay");
        c.deposit = needed - 1;
        _refused(
            l,
            c,
            nobody(),
            "",
            abi.encodeWithSelector(ILeaseTypes.DepositTooSmall.selector, needed - 1, needed)
        );
        c.deposit = needed;
        uint256 before = token.balanceOf(renter);
        change(l, c, nobody());
        vm.assertEq(token.balanceOf(renter) - before, l.d.order.deposit - needed, "freed at once");
        vm.assertEq(finalize(rowOf(l)), 0, "the window is open still");
        checkpoint(rowOf(l, all(2, 1e9)));
        vm.assertLe(needed - escrow.lease(l.d.leaseId).charged, 2, "all that can be charged, but rounding");
    }

    function test_a_stop_after_the_end_moves_nothing_that_is_owed() public {
        Live memory l = liveOf(1);
        vm.warp(START + MAX_SECONDS + 100);
        vm.prank(renter);
        escrow.stop(l.d.order, l.d.membersHash);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit -= 1;
        _refused(
            l,
            c,
            nobody(),
            "",
            abi.encodeWithSelector(ILeaseTypes.DepositTooSmall.selector, c.deposit, c.deposit + 1)
        );
    }

    function test_after_the_end_nobody_is_added_and_nothing_prolonged() public {
        Live memory l = liveOf(1);
        vm.warp(START + MAX_SECONDS);
        bytes memory expected =
            abi.encodeWithSelector(ILeaseTypes.ChangeOutOfRange.selector, bytes32("maxSeconds"));
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit += 100e6;
        _refused(l, c, joining(2), "", expected);
        c.maxSeconds += 1000;
        _refused(l, c, nobody(), "", expected);
        vm.warp(START + MAX_SECONDS - 1);
        c = changeOf(l);
        c.deposit += 100e6;
        change(l, c, joining(2));
    }

    function test_a_dismissal_after_the_end_takes_nothing_from_anybody() public {
        Live memory l = liveOf(1);
        vm.warp(START + MAX_SECONDS + 60);
        ILeaseTypes.Change memory c = changeOf(l);
        c.dismissed = 1;
        change(l, c, nobody());
        checkpoint(rowOf(l, all(1, 1e9)));
        vm.assertEq(escrow.lease(l.d.leaseId).charged, uint256(MAX_SECONDS) * RATE / 1e9, "paid to the end");
    }

    function _stale(Live memory l) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ILeaseTypes.StaleTerms.selector, l.d.leaseId);
    }

    function _badSignature(address signer) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ILeaseTypes.BadOrderSignature.selector, signer);
    }

    /// @param signature the renter's own call if there is none and something else is what is wrong
    function _refused(
        Live memory l,
        ILeaseTypes.Change memory c,
        ILeaseTypes.MatchedAsk[] memory added,
        bytes memory signature,
        bytes memory expected
    ) private {
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        bool bySignature = keccak256(expected) == keccak256(_badSignature(l.d.order.renter));
        vm.expectRevert(expected);
        vm.prank(bySignature ? relayer : renter);
        escrow.change(settlement, c, added, noAsks(), signature);
    }
}
