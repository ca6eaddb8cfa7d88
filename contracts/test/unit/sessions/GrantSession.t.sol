// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../../src/interfaces/ILeaseTypes.sol";
import {SessionFixture} from "../../SessionFixture.sol";
import {Wallet} from "../../Wallet.sol";

contract GrantSessionTest is SessionFixture {
    function test_a_renter_grants_by_its_own_call() public {
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        vm.expectEmit(address(escrow));
        emit ILeaseTypes.SessionGranted(renter, session, g);
        vm.prank(renter);
        escrow.grantSession(g, "");
        ILeaseTypes.Session memory stored = escrow.session(renter, session);
        vm.assertEq(stored.spendLimit, g.spendLimit, "spendLimit");
        vm.assertEq(stored.spent, 0, "spent");
        vm.assertEq(stored.validUntil, g.validUntil, "validUntil");
        vm.assertEq(stored.maxRate, g.maxRate, "maxRate");
        vm.assertEq(stored.maxDevices, g.maxDevices, "maxDevices");
        vm.assertEq(nonceOf(renter), g.nonce + 1, "nonce used");
    }

    function test_anybody_brings_the_renters_signature() public {
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        bytes memory signature = sign(RENTER_KEY, digests.hashSessionGrant(g));
        vm.prank(relayer);
        escrow.grantSession(g, signature);
        vm.assertEq(escrow.session(renter, session).validUntil, g.validUntil, "granted");
    }

    function test_a_contract_wallet_says_for_itself_what_it_signed() public {
        Wallet wallet = new Wallet(vm.addr(5));
        ILeaseTypes.SessionGrant memory g = grantOf(address(wallet));
        bytes memory signature = sign(5, digests.hashSessionGrant(g));
        vm.prank(relayer);
        escrow.grantSession(g, signature);
        vm.assertEq(escrow.session(address(wallet), session).validUntil, g.validUntil, "granted");

        g.nonce += 1;
        signature = sign(5, digests.hashSessionGrant(g));
        wallet.refuseEverything();
        _refused(g, signature);
    }

    function test_signatures_that_are_not_the_renters_are_refused() public {
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        bytes32 digest = digests.hashSessionGrant(g);
        _refused(g, sign(SESSION_KEY, digest));
        _refused(g, sign(METER_KEY, digest));
        _refused(g, sign(RENTER_KEY, keccak256("another")));
        _refused(g, "");
        _refused(g, new bytes(65));
    }

    function test_a_grant_changed_after_it_was_signed_is_refused() public {
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        bytes memory signature = sign(RENTER_KEY, digests.hashSessionGrant(g));
        g.spendLimit += 1;
        _refused(g, signature);
        g = grantOf(renter);
        g.maxRate += 1;
        _refused(g, signature);
        g = grantOf(renter);
        g.maxDevices += 1;
        _refused(g, signature);
        g = grantOf(renter);
        g.validUntil += 1;
        _refused(g, signature);
        g = grantOf(renter);
        g.key = relayer;
        _refused(g, signature);
        g = grantOf(renter);
        g.nonce += 1;
        _refused(g, signature);
        g = grantOf(renter);
        vm.prank(relayer);
        escrow.grantSession(g, signature);
    }

    function test_nobody_is_renter_zero() public {
        ILeaseTypes.SessionGrant memory g = grantOf(address(0));
        _refused(g, new bytes(65));
        _refused(g, "");
    }

    function test_a_signature_grants_once() public {
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        bytes memory signature = sign(RENTER_KEY, digests.hashSessionGrant(g));
        escrow.grantSession(g, signature);
        vm.expectRevert(_badNonce(g.nonce + 1));
        escrow.grantSession(g, signature);
        vm.prank(renter);
        escrow.revokeSession(session);
        vm.expectRevert(_badNonce(g.nonce + 2));
        escrow.grantSession(g, signature);
        vm.assertEq(escrow.session(renter, session).validUntil, 0, "still revoked");
    }

    function test_a_nonce_has_to_be_the_next() public {
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        g.nonce += 1;
        vm.expectRevert(_badNonce(g.nonce - 1));
        vm.prank(renter);
        escrow.grantSession(g, "");
        g.nonce = type(uint256).max;
        vm.expectRevert(_badNonce(0));
        vm.prank(renter);
        escrow.grantSession(g, "");
    }

    function test_the_key_cannot_be_nobody() public {
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        g.key = address(0);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.OrderOutOfRange.selector, bytes32("session")));
        vm.prank(renter);
        escrow.grantSession(g, "");
    }

    function test_a_grant_is_of_one_renter_and_one_key() public {
        grant(grantOf(renter));
        vm.assertEq(escrow.session(relayer, session).validUntil, 0, "another renter");
        vm.assertEq(escrow.session(renter, relayer).validUntil, 0, "another key");
    }

    function test_a_new_grant_changes_the_limits_and_keeps_what_was_spent() public {
        grant(grantOf(renter));
        Deal memory d = sessionDealOf(1);
        openBySession(d);
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        (g.spendLimit, g.maxRate, g.maxDevices, g.validUntil) = (1, 2, 3, 4);
        grant(g);
        ILeaseTypes.Session memory stored = escrow.session(renter, session);
        vm.assertEq(stored.spendLimit, 1, "spendLimit");
        vm.assertEq(stored.maxRate, 2, "maxRate");
        vm.assertEq(stored.maxDevices, 3, "maxDevices");
        vm.assertEq(stored.validUntil, 4, "validUntil");
        vm.assertEq(stored.spent, d.order.deposit, "spent stays");
    }

    function test_smallest_and_largest_numbers_are_stored_as_they_are() public {
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        (g.spendLimit, g.maxRate, g.maxDevices, g.validUntil) = (0, 0, 0, 0);
        grant(g);
        vm.assertEq(keccak256(abi.encode(escrow.session(renter, session))), keccak256(new bytes(160)), "zero");
        g.nonce += 1;
        (g.spendLimit, g.maxRate) = (type(uint96).max, type(uint64).max);
        (g.maxDevices, g.validUntil) = (type(uint32).max, type(uint40).max);
        grant(g);
        ILeaseTypes.Session memory stored = escrow.session(renter, session);
        vm.assertEq(stored.spendLimit, type(uint96).max, "spendLimit");
        vm.assertEq(stored.spent, 0, "spent");
        vm.assertEq(stored.validUntil, type(uint40).max, "validUntil");
        vm.assertEq(stored.maxRate, type(uint64).max, "maxRate");
        vm.assertEq(stored.maxDevices, type(uint32).max, "maxDevices");
    }

    function _badNonce(uint256 next) private view returns (bytes memory) {
        return abi.encodeWithSignature("InvalidAccountNonce(address,uint256)", renter, next);
    }

    function _refused(ILeaseTypes.SessionGrant memory g, bytes memory signature) private {
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.BadSignature.selector, g.renter));
        vm.prank(relayer);
        escrow.grantSession(g, signature);
    }
}
