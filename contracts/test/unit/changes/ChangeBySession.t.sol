// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../../src/interfaces/ILeaseTypes.sol";
import {ChangeFixture} from "../../ChangeFixture.sol";

contract ChangeBySessionTest is ChangeFixture {
    function setUp() public override {
        super.setUp();
        grant(grantOf(renter));
    }

    function test_the_key_changes_its_lease_and_pays_from_the_balance() public {
        Live memory l = liveBySession(1);
        vm.warp(START + 100);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit += 60e6;
        ILeaseTypes.MatchedAsk[] memory added = joining(1);
        _byKey(l, c, added);
        noteChange(l, c, added);
        vm.assertEq(spent(), c.deposit, "counted");
        vm.assertEq(escrow.balanceOf(renter), FUNDS - c.deposit, "taken");
    }

    function test_anybody_brings_the_keys_signature() public {
        Live memory l = liveBySession(1);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit += 5e6;
        bytes memory signature = sign(SESSION_KEY, digestOf(l, c, nobody()));
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        vm.prank(relayer);
        escrow.change(settlement, c, nobody(), noAsks(), signature);
        vm.assertEq(spent(), c.deposit, "counted");
    }

    function test_the_renter_changes_a_lease_of_its_key_and_the_key_has_spent_it() public {
        Live memory l = liveBySession(1);
        vm.prank(renter);
        escrow.revokeSession(session);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit += 900e6; // beyond the key's limit, which is not the renter's
        change(l, c, nobody());
        vm.assertEq(spent(), c.deposit, "counted");
        vm.assertEq(close(closingOf(l, rowOf(l), all(1, 0))), 1, "closed");
        vm.assertEq(spent(), 0, "all came back to the balance");
        vm.assertEq(escrow.balanceOf(renter), FUNDS, "all of it");
    }

    function test_the_key_changes_no_lease_that_is_not_its_own() public {
        Live memory l = liveOf(1);
        ILeaseTypes.Change memory c = changeOf(l);
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.BadOrderSignature.selector, renter));
        vm.prank(session);
        escrow.change(settlement, c, nobody(), noAsks(), "");
    }

    function test_what_is_freed_goes_to_the_balance_and_is_not_spent_any_more() public {
        Live memory l = liveBySession(2);
        vm.warp(START + 100);
        leaves(l, rowOf(l, all(2, 100)), 0, 90);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit = owed(l);
        uint256 freed = l.d.order.deposit - c.deposit;
        uint256 outside = token.balanceOf(renter);
        _byKey(l, c, nobody());
        vm.assertEq(token.balanceOf(renter), outside, "nothing leaves");
        vm.assertEq(escrow.balanceOf(renter), FUNDS - c.deposit, "freed");
        vm.assertEq(spent(), l.d.order.deposit - freed, "counted back");
    }

    function test_spending_ends_at_the_limit() public {
        Live memory l = liveBySession(1);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit = SPEND_LIMIT + 1;
        _limited(l, c, nobody(), "spend", SPEND_LIMIT + 1, SPEND_LIMIT);
        c.deposit = SPEND_LIMIT;
        _byKey(l, c, nobody());
    }

    function test_added_asks_keep_to_rate_and_devices() public {
        Live memory l = liveBySession(1);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit = SPEND_LIMIT;
        ILeaseTypes.Ask memory ask = askOf(1);
        ask.rate = RATE + 1;
        ILeaseTypes.MatchedAsk[] memory added = new ILeaseTypes.MatchedAsk[](1);
        added[0] = matched(1, ask, 1);
        _limited(l, c, added, "rate", RATE + 1, RATE);
        ask.rate = RATE / 100;
        added[0] = matched(1, ask, MAX_DEVICES + 1);
        _limited(l, c, added, "devices", MAX_DEVICES + 1, MAX_DEVICES);
        added[0] = matched(1, ask, MAX_DEVICES);
        _byKey(l, c, added);
    }

    function test_a_grant_that_ended_changes_nothing_more() public {
        Live memory l = liveBySession(1);
        ILeaseTypes.Change memory c = changeOf(l);
        vm.warp(START + 1 days + 1);
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        vm.expectRevert(
            abi.encodeWithSelector(ILeaseTypes.SessionNotValid.selector, renter, session, START + 1 days)
        );
        vm.prank(session);
        escrow.change(settlement, c, nobody(), noAsks(), "");
        vm.warp(START + 1 days);
        _byKey(l, c, nobody());
    }

    function test_what_a_key_has_spent_never_passes_its_width() public {
        Live memory l = liveBySession(1);
        Live memory second = liveBySession(1);
        vm.prank(renter);
        uint256 plenty = uint256(type(uint96).max) * 2;
        token.mint(renter, plenty);
        vm.prank(renter);
        escrow.deposit(plenty);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit = type(uint96).max - second.d.order.deposit;
        change(l, c, nobody());
        vm.assertEq(spent(), type(uint96).max, "as much as it can count");
        c = changeOf(second);
        c.deposit += 1;
        ILeaseTypes.Settlement memory settlement = rowOf(second);
        vm.expectRevert(
            abi.encodeWithSelector(
                ILeaseTypes.SessionLimit.selector,
                bytes32("spend"),
                uint256(type(uint96).max) + 1,
                type(uint96).max
            )
        );
        vm.prank(renter);
        escrow.change(settlement, c, nobody(), noAsks(), "");
    }

    function _byKey(Live memory l, ILeaseTypes.Change memory c, ILeaseTypes.MatchedAsk[] memory added)
        private
    {
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        vm.prank(session);
        escrow.change(settlement, c, added, noAsks(), "");
    }

    function _limited(
        Live memory l,
        ILeaseTypes.Change memory c,
        ILeaseTypes.MatchedAsk[] memory added,
        bytes32 field,
        uint256 wanted,
        uint256 limit
    ) private {
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.SessionLimit.selector, field, wanted, limit));
        vm.prank(session);
        escrow.change(settlement, c, added, noAsks(), "");
    }
}
