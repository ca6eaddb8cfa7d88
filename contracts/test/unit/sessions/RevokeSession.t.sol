// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../../src/interfaces/ILeaseTypes.sol";
import {SessionFixture} from "../../SessionFixture.sol";

contract RevokeSessionTest is SessionFixture {
    function test_a_revoked_key_opens_nothing_more() public {
        grant(grantOf(renter));
        Deal memory d = sessionDealOf(1);
        vm.expectEmit(address(escrow));
        emit ILeaseTypes.SessionRevoked(renter, session);
        vm.prank(renter);
        escrow.revokeSession(session);
        bytes memory signature = sign(SESSION_KEY, d.leaseId);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.SessionNotValid.selector, renter, session, 0));
        escrow.openFromBalance(d.order, d.asks, signature);
    }

    function test_only_the_renters_own_grant_is_revoked() public {
        grant(grantOf(renter));
        uint256 validUntil = escrow.session(renter, session).validUntil;
        vm.prank(relayer);
        escrow.revokeSession(session);
        vm.prank(session);
        escrow.revokeSession(session);
        vm.assertEq(escrow.session(renter, session).validUntil, validUntil, "still granted");
    }

    function test_a_grant_that_was_signed_before_cannot_undo_it() public {
        grant(grantOf(renter));
        ILeaseTypes.SessionGrant memory pending = grantOf(renter);
        bytes memory signature = sign(RENTER_KEY, digests.hashSessionGrant(pending));
        vm.prank(renter);
        escrow.revokeSession(session);
        vm.expectRevert(
            abi.encodeWithSignature("InvalidAccountNonce(address,uint256)", renter, pending.nonce + 1)
        );
        vm.prank(relayer);
        escrow.grantSession(pending, signature);
    }

    function test_open_leases_of_the_key_go_on() public {
        grant(grantOf(renter));
        Deal memory d = sessionDealOf(1);
        openBySession(d);
        vm.prank(renter);
        escrow.revokeSession(session);
        vm.warp(START + 100);
        vm.assertEq(checkpoint(row(d, all(1, 90))), 1, "paid");
        vm.prank(session);
        escrow.stop(d.order, d.membersHash);
        vm.assertEq(close(closing(d, row(d, all(1, 90), all(1, 100)), all(1, 100))), 1, "closed");
        vm.assertEq(spent(), escrow.lease(d.leaseId).charged, "refund is taken off what was spent");
    }

    function test_what_was_spent_stays_spent() public {
        grant(grantOf(renter));
        Deal memory d = sessionDealOf(2);
        openBySession(d);
        vm.prank(renter);
        escrow.revokeSession(session);
        vm.assertEq(spent(), d.order.deposit, "kept");
        vm.assertEq(escrow.session(renter, session).spendLimit, SPEND_LIMIT, "limits are kept too");
    }

    function test_a_key_that_was_never_granted_can_be_revoked() public {
        vm.prank(renter);
        escrow.revokeSession(relayer);
        vm.assertEq(escrow.session(renter, relayer).validUntil, 0, "nothing");
    }
}
