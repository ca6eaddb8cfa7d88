// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {EscrowFixture} from "../EscrowFixture.sol";

contract OpenWithAuthorizationTest is EscrowFixture {
    function setUp() public override {
        super.setUp();
        vm.prank(renter);
        token.approve(address(escrow), 0);
    }

    function test_anybody_opens_with_the_renters_one_signature() public {
        Deal memory d = dealOf(2);
        openWithAuthorization(d);
        vm.assertEq(token.balanceOf(address(escrow)), d.order.deposit, "held");
        vm.assertTrue(escrow.lease(d.leaseId).state == ILeaseTypes.State.ACTIVE, "active");
        vm.assertTrue(token.authorizationState(renter, d.leaseId), "authorization used");
    }

    function test_an_authorization_for_another_lease_does_not_open_this_one() public {
        Deal memory d = dealOf(2);
        (uint8 v, bytes32 r, bytes32 s) = authorization(d, RENTER_KEY, keccak256("another"));
        vm.expectRevert();
        escrow.openWithAuthorization(d.order, d.asks, 0, block.timestamp + 1 hours, v, r, s);
    }

    function test_an_authorization_does_not_open_with_a_changed_order() public {
        Deal memory d = dealOf(2);
        (uint8 v, bytes32 r, bytes32 s) = authorization(d, RENTER_KEY, d.leaseId);
        d.order.meterKey = relayer;
        vm.expectRevert();
        escrow.openWithAuthorization(d.order, d.asks, 0, block.timestamp + 1 hours, v, r, s);
    }

    function test_an_authorization_does_not_open_with_other_asks() public {
        Deal memory d = dealOf(2);
        (uint8 v, bytes32 r, bytes32 s) = authorization(d, RENTER_KEY, d.leaseId);
        d.asks[1] = matched(2, askOf(2), 1);
        vm.expectRevert();
        escrow.openWithAuthorization(d.order, d.asks, 0, block.timestamp + 1 hours, v, r, s);
    }

    function test_a_stranger_cannot_authorize() public {
        Deal memory d = dealOf(2);
        (uint8 v, bytes32 r, bytes32 s) = authorization(d, METER_KEY, d.leaseId);
        vm.expectRevert();
        escrow.openWithAuthorization(d.order, d.asks, 0, block.timestamp + 1 hours, v, r, s);
    }

    function test_opens_once() public {
        Deal memory d = dealOf(1);
        openWithAuthorization(d);
        (uint8 v, bytes32 r, bytes32 s) = authorization(d, RENTER_KEY, d.leaseId);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.AlreadyOpened.selector, d.leaseId));
        escrow.openWithAuthorization(d.order, d.asks, 0, block.timestamp + 1 hours, v, r, s);
    }
}
