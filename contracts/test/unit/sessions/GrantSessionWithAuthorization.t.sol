// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../../src/interfaces/ILeaseTypes.sol";
import {SessionFixture} from "../../SessionFixture.sol";

contract GrantSessionWithAuthorizationTest is SessionFixture {
    uint256 private constant AMOUNT = 700e6;

    function test_one_signature_of_the_token_funds_and_grants() public {
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        bytes32 digest = digests.hashSessionGrant(g);
        (uint8 v, bytes32 r, bytes32 s) = authorize(renter, AMOUNT, digest, RENTER_KEY);
        vm.expectEmit(address(escrow));
        emit ILeaseTypes.SessionGranted(renter, session, g);
        vm.expectEmit(address(escrow));
        emit ILeaseTypes.Deposited(renter, AMOUNT);
        vm.prank(relayer);
        escrow.grantSessionWithAuthorization(g, AMOUNT, 0, block.timestamp + 1 hours, v, r, s);
        vm.assertEq(escrow.session(renter, session).spendLimit, g.spendLimit, "granted");
        vm.assertEq(escrow.balanceOf(renter), FUNDS + AMOUNT, "funded");
        vm.assertTrue(token.authorizationState(renter, digest), "the nonce is the grant's digest");
        vm.assertEq(nonceOf(renter), g.nonce + 1, "nonce used");
    }

    function test_an_authorization_for_something_else_grants_nothing() public {
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        (uint8 v, bytes32 r, bytes32 s) = authorize(renter, AMOUNT, keccak256("another"), RENTER_KEY);
        _reverts(g, AMOUNT, v, r, s);
        (v, r, s) = authorize(renter, AMOUNT, digests.hashSessionGrant(g), METER_KEY);
        _reverts(g, AMOUNT, v, r, s);
        (v, r, s) = authorize(renter, AMOUNT, digests.hashSessionGrant(g), RENTER_KEY);
        _reverts(g, AMOUNT + 1, v, r, s);
        g.spendLimit += 1;
        _reverts(g, AMOUNT, v, r, s);
        vm.assertEq(escrow.session(renter, session).validUntil, 0, "nothing granted");
    }

    function test_it_grants_once() public {
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        (uint8 v, bytes32 r, bytes32 s) = authorize(renter, AMOUNT, digests.hashSessionGrant(g), RENTER_KEY);
        escrow.grantSessionWithAuthorization(g, AMOUNT, 0, block.timestamp + 1 hours, v, r, s);
        vm.expectRevert(abi.encodeWithSignature("InvalidAccountNonce(address,uint256)", renter, g.nonce + 1));
        escrow.grantSessionWithAuthorization(g, AMOUNT, 0, block.timestamp + 1 hours, v, r, s);
    }

    /// @dev No money, no proof that the token looked at the signature.
    function test_nothing_cannot_be_moved() public {
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        (uint8 v, bytes32 r, bytes32 s) = authorize(renter, 0, digests.hashSessionGrant(g), RENTER_KEY);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.OrderOutOfRange.selector, bytes32("amount")));
        escrow.grantSessionWithAuthorization(g, 0, 0, block.timestamp + 1 hours, v, r, s);
    }

    function test_amounts_beyond_128_bits_are_refused() public {
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        uint256 amount = uint256(1) << 128;
        token.mint(renter, amount);
        (uint8 v, bytes32 r, bytes32 s) = authorize(renter, amount, digests.hashSessionGrant(g), RENTER_KEY);
        _reverts(g, amount, v, r, s);
    }

    function test_only_the_owner_takes_out_what_was_paid_in() public {
        address other = vm.addr(77);
        token.mint(other, AMOUNT);
        ILeaseTypes.SessionGrant memory g = grantOf(other);
        (uint8 v, bytes32 r, bytes32 s) = authorize(other, AMOUNT, digests.hashSessionGrant(g), 77);
        escrow.grantSessionWithAuthorization(g, AMOUNT, 0, block.timestamp + 1 hours, v, r, s);
        address[] memory owners = new address[](1);
        owners[0] = other;
        escrow.sweep(owners);
        vm.assertEq(escrow.balanceOf(other), AMOUNT, "kept");
    }

    function _reverts(ILeaseTypes.SessionGrant memory g, uint256 amount, uint8 v, bytes32 r, bytes32 s)
        private
    {
        vm.expectRevert();
        escrow.grantSessionWithAuthorization(g, amount, 0, block.timestamp + 1 hours, v, r, s);
    }
}
