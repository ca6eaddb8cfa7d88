// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {EscrowFixture} from "../EscrowFixture.sol";

contract StopTest is EscrowFixture {
    function test_the_renter_freezes_the_clock() public {
        Deal memory d = opened(2);
        vm.warp(START + 100);
        vm.expectEmit(address(escrow));
        emit ILeaseTypes.Stopping(d.leaseId, uint40(START + 100));
        vm.prank(renter);
        escrow.stop(d.order, d.membersHash);
        vm.assertEq(escrow.lease(d.leaseId).stopAt, START + 100, "stopAt");
        vm.assertTrue(escrow.lease(d.leaseId).state == ILeaseTypes.State.ACTIVE, "not closed yet");
    }

    function test_the_meter_key_freezes_the_clock() public {
        Deal memory d = opened(1);
        vm.prank(meter);
        escrow.stop(d.order, d.membersHash);
        vm.assertEq(escrow.lease(d.leaseId).stopAt, START, "stopAt");
    }

    function test_nobody_else_stops() public {
        Deal memory d = opened(1);
        address[3] memory others = [relayer, agentKey(0), operatorOf(0)];
        for (uint256 i; i < others.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.MayNotStop.selector, others[i]));
            vm.prank(others[i]);
            escrow.stop(d.order, d.membersHash);
        }
    }

    function test_a_second_stop_does_not_move_the_first() public {
        Deal memory d = opened(1);
        vm.prank(renter);
        escrow.stop(d.order, d.membersHash);
        vm.warp(START + 10);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.AlreadyStopping.selector, d.leaseId, START));
        vm.prank(meter);
        escrow.stop(d.order, d.membersHash);
    }

    function test_a_lease_that_is_not_open_cannot_be_stopped() public {
        Deal memory d = dealOf(1);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.NotActive.selector, d.leaseId));
        vm.prank(renter);
        escrow.stop(d.order, d.membersHash);
        open(d);
        close(closing(d, rowWithoutVoucher(d, new uint96[](0)), all(1, 0)));
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.NotActive.selector, d.leaseId));
        vm.prank(renter);
        escrow.stop(d.order, d.membersHash);
    }

    function test_presenting_another_order_reaches_no_lease() public {
        Deal memory d = opened(1);
        d.order.meterKey = relayer;
        bytes32 other = digests.hashOrder(d.order, d.members);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.NotActive.selector, other));
        vm.prank(relayer);
        escrow.stop(d.order, d.membersHash);
    }
}
