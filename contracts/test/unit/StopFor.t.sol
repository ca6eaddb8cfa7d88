// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {SessionFixture} from "../SessionFixture.sol";
import {Wallet} from "../Wallet.sol";

contract StopForTest is SessionFixture {
    uint40 private constant DEADLINE = uint40(START + 60);

    function test_anybody_brings_the_renters_signature() public {
        _stops(opened(2), RENTER_KEY);
    }

    function test_anybody_brings_the_meter_keys_signature() public {
        _stops(opened(2), METER_KEY);
    }

    function test_anybody_brings_the_session_keys_signature() public {
        grant(grantOf(renter));
        Deal memory d = sessionDealOf(2);
        openBySession(d);
        vm.prank(renter);
        escrow.revokeSession(session);
        _stops(d, SESSION_KEY);
    }

    function test_the_renter_stops_a_lease_of_its_session_key() public {
        grant(grantOf(renter));
        Deal memory d = sessionDealOf(1);
        openBySession(d);
        _stops(d, RENTER_KEY);
    }

    function test_a_contract_wallet_says_for_itself_what_it_signed() public {
        Wallet wallet = new Wallet(vm.addr(5));
        fund(address(wallet), FUNDS);
        Deal memory d = dealOf(1);
        d.order.renter = address(wallet);
        d = deal(d.order, d.asks);
        open(d);
        _refused(d, DEADLINE, sign(6, digests.hashStop(d.leaseId, DEADLINE)));
        wallet.refuseEverything();
        _refused(d, DEADLINE, sign(5, digests.hashStop(d.leaseId, DEADLINE)));
        Wallet willing = new Wallet(vm.addr(5));
        fund(address(willing), FUNDS);
        d.order.renter = address(willing);
        d = deal(d.order, d.asks);
        open(d);
        _stops(d, 5);
    }

    /// @dev EIP-7702: the renter's account has code, which refuses everything; its key still counts.
    function test_a_key_counts_before_the_code_of_its_account() public {
        Deal memory d = opened(1);
        Wallet refusing = new Wallet(address(1));
        vm.etch(renter, address(refusing).code);
        _stops(d, RENTER_KEY);
    }

    function test_nobody_elses_signature_stops() public {
        Deal memory d = opened(2);
        bytes32 digest = digests.hashStop(d.leaseId, DEADLINE);
        _refused(d, DEADLINE, sign(agentSecret(0), digest));
        _refused(d, DEADLINE, sign(SESSION_KEY, digest));
        _refused(d, DEADLINE, sign(RENTER_KEY, d.leaseId));
        _refused(d, DEADLINE, new bytes(65));
        _refused(d, DEADLINE, "");
    }

    function test_the_signature_binds_lease_and_deadline() public {
        Deal memory d = opened(1);
        Deal memory other = opened(1);
        bytes memory signature = sign(RENTER_KEY, digests.hashStop(d.leaseId, DEADLINE));
        _refused(other, DEADLINE, signature);
        _refused(d, DEADLINE + 1, signature);
        _stops(d, RENTER_KEY);
    }

    function test_the_deadline_holds_to_its_last_second() public {
        Deal memory d = opened(1);
        bytes memory signature = sign(RENTER_KEY, digests.hashStop(d.leaseId, DEADLINE));
        vm.warp(DEADLINE + 1);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.SignatureExpired.selector, DEADLINE));
        escrow.stopFor(d.order, d.membersHash, DEADLINE, signature);
        vm.warp(DEADLINE);
        escrow.stopFor(d.order, d.membersHash, DEADLINE, signature);
        vm.assertEq(escrow.lease(d.leaseId).stopAt, DEADLINE, "stopped");
    }

    function test_deadlines_of_zero_and_for_ever() public {
        Deal memory d = opened(1);
        bytes memory signature = sign(RENTER_KEY, digests.hashStop(d.leaseId, 0));
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.SignatureExpired.selector, 0));
        escrow.stopFor(d.order, d.membersHash, 0, signature);
        uint40 ever = type(uint40).max;
        signature = sign(RENTER_KEY, digests.hashStop(d.leaseId, ever));
        escrow.stopFor(d.order, d.membersHash, ever, signature);
    }

    function test_a_second_stop_does_not_move_the_first() public {
        Deal memory d = opened(1);
        bytes memory signature = sign(METER_KEY, digests.hashStop(d.leaseId, DEADLINE));
        escrow.stopFor(d.order, d.membersHash, DEADLINE, signature);
        vm.warp(START + 10);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.AlreadyStopping.selector, d.leaseId, START));
        escrow.stopFor(d.order, d.membersHash, DEADLINE, signature);
    }

    function test_a_lease_that_is_not_open_cannot_be_stopped() public {
        Deal memory d = dealOf(1);
        bytes memory signature = sign(RENTER_KEY, digests.hashStop(d.leaseId, DEADLINE));
        bytes memory expected = abi.encodeWithSelector(ILeaseTypes.NotActive.selector, d.leaseId);
        vm.expectRevert(expected);
        escrow.stopFor(d.order, d.membersHash, DEADLINE, signature);
        open(d);
        close(closing(d, rowWithoutVoucher(d, new uint96[](0)), all(1, 0)));
        vm.expectRevert(expected);
        escrow.stopFor(d.order, d.membersHash, DEADLINE, signature);
    }

    function _stops(Deal memory d, uint256 key) private {
        bytes memory signature = sign(key, digests.hashStop(d.leaseId, DEADLINE));
        vm.expectEmit(address(escrow));
        emit ILeaseTypes.Stopping(d.leaseId, uint40(block.timestamp));
        vm.prank(relayer);
        escrow.stopFor(d.order, d.membersHash, DEADLINE, signature);
        vm.assertEq(escrow.lease(d.leaseId).stopAt, block.timestamp, "stopAt");
    }

    function _refused(Deal memory d, uint40 deadline, bytes memory signature) private {
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.BadSignature.selector, d.order.renter));
        vm.prank(relayer);
        escrow.stopFor(d.order, d.membersHash, deadline, signature);
    }
}
