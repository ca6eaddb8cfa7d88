// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../../src/interfaces/ILeaseTypes.sol";
import {ChangeFixture} from "../../ChangeFixture.sol";

contract ChangeWithAuthorizationTest is ChangeFixture {
    uint96 private constant MORE = 60e6;

    function test_one_signature_of_the_token_pays_and_changes() public {
        Live memory l = liveOf(1);
        vm.warp(START + 100);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit += MORE;
        ILeaseTypes.MatchedAsk[] memory added = joining(1);
        bytes32 digest = digestOf(l, c, added);
        uint256 outside = token.balanceOf(renter);
        _bring(l, c, added, MORE, digest, RENTER_KEY);
        noteChange(l, c, added);
        vm.assertEq(outside - token.balanceOf(renter), MORE, "paid from outside");
        vm.assertEq(escrow.balanceOf(renter), FUNDS, "not from the balance");
        vm.assertTrue(token.authorizationState(renter, digest), "the nonce is the change's digest");
    }

    function test_an_authorization_for_something_else_changes_nothing() public {
        Live memory l = liveOf(1);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit += MORE;
        bytes32 digest = digestOf(l, c, nobody());
        _reverts(l, c, MORE, keccak256("another"), RENTER_KEY);
        _reverts(l, c, MORE, digest, METER_KEY);
        _reverts(l, c, MORE - 1, digest, RENTER_KEY);
        _reverts(l, c, MORE + 1, digest, RENTER_KEY);
        c.changeBy -= 1;
        _reverts(l, c, MORE, digest, RENTER_KEY);
        c.changeBy += 1;
        _bring(l, c, nobody(), MORE, digest, RENTER_KEY);
    }

    function test_only_a_higher_deposit_is_paid_so() public {
        Live memory l = liveOf(1);
        ILeaseTypes.Change memory c = changeOf(l);
        bytes memory expected =
            abi.encodeWithSelector(ILeaseTypes.ChangeOutOfRange.selector, bytes32("deposit"));
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        vm.expectRevert(expected);
        escrow.changeWithAuthorization(settlement, c, nobody(), noAsks(), 0, type(uint256).max, 27, 0, 0);
        c.deposit += MORE;
        change(l, c, nobody());
        c = changeOf(l);
        c.deposit -= MORE;
        settlement = rowOf(l);
        vm.expectRevert(expected);
        escrow.changeWithAuthorization(settlement, c, nobody(), noAsks(), 0, type(uint256).max, 27, 0, 0);
    }

    function test_it_changes_once() public {
        Live memory l = liveOf(1);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit += MORE;
        bytes32 digest = digestOf(l, c, nobody());
        _bring(l, c, nobody(), MORE, digest, RENTER_KEY);
        noteChange(l, c, nobody());
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        (uint8 v, bytes32 r, bytes32 s) = authorize(renter, MORE, digest, RENTER_KEY);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.StaleTerms.selector, l.d.leaseId));
        escrow.changeWithAuthorization(
            settlement, c, nobody(), noAsks(), 0, block.timestamp + 1 hours, v, r, s
        );
    }

    function test_a_lease_of_a_session_key_counts_it_as_spent() public {
        grant(grantOf(renter));
        Live memory l = liveBySession(1);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit += MORE;
        _bring(l, c, nobody(), MORE, digestOf(l, c, nobody()), RENTER_KEY);
        noteChange(l, c, nobody());
        vm.assertEq(spent(), c.deposit, "counted");
        vm.assertEq(close(closingOf(l, rowOf(l), all(1, 0))), 1, "closed");
        vm.assertEq(spent(), 0, "refunded");
        vm.assertEq(escrow.balanceOf(renter), FUNDS + MORE, "to the balance, from wherever it came");
    }

    function test_it_prolongs_too() public {
        Live memory l = liveOf(1);
        ILeaseTypes.Change memory c = changeOf(l);
        (c.maxSeconds, c.deposit) = (2 days, c.deposit + MORE);
        (uint8 v, bytes32 r, bytes32 s) = authorize(renter, MORE, digestOf(l, c, nobody()), RENTER_KEY);
        escrow.changeWithAuthorization(
            rowOf(l), c, nobody(), asksOf(l), 0, block.timestamp + 1 hours, v, r, s
        );
        noteChange(l, c, nobody());
    }

    function _bring(
        Live memory l,
        ILeaseTypes.Change memory c,
        ILeaseTypes.MatchedAsk[] memory added,
        uint256 amount,
        bytes32 nonce,
        uint256 key
    ) private {
        (uint8 v, bytes32 r, bytes32 s) = authorize(renter, amount, nonce, key);
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        vm.prank(relayer);
        escrow.changeWithAuthorization(settlement, c, added, noAsks(), 0, block.timestamp + 1 hours, v, r, s);
    }

    function _reverts(Live memory l, ILeaseTypes.Change memory c, uint256 amount, bytes32 nonce, uint256 key)
        private
    {
        (uint8 v, bytes32 r, bytes32 s) = authorize(renter, amount, nonce, key);
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        vm.expectRevert();
        escrow.changeWithAuthorization(
            settlement, c, nobody(), noAsks(), 0, block.timestamp + 1 hours, v, r, s
        );
        vm.assertEq(escrow.rosterHash(l.d.leaseId), 0, "nothing changed");
    }
}
