// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {EscrowFixture} from "../EscrowFixture.sol";
import {Wallet} from "../Wallet.sol";

contract OpenFromBalanceTest is EscrowFixture {
    uint256 private constant CURVE_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
    uint96 private constant FUNDS = 1000e6;

    function setUp() public override {
        super.setUp();
        vm.prank(renter);
        escrow.deposit(FUNDS);
    }

    function test_the_renter_needs_no_signature() public {
        Deal memory d = dealOf(2);
        vm.prank(renter);
        escrow.openFromBalance(d.order, d.asks, "");
        vm.assertEq(escrow.balanceOf(renter), FUNDS - d.order.deposit, "moved into the lease");
        vm.assertEq(token.balanceOf(address(escrow)), FUNDS, "nothing pulled");
    }

    function test_anybody_opens_with_the_renters_signature() public {
        Deal memory d = dealOf(2);
        bytes memory signature = sign(RENTER_KEY, d.leaseId);
        vm.prank(relayer);
        escrow.openFromBalance(d.order, d.asks, signature);
        vm.assertTrue(escrow.lease(d.leaseId).state == ILeaseTypes.State.ACTIVE, "active");
    }

    function test_signatures_that_are_not_the_renters_are_refused() public {
        Deal memory d = dealOf(2);
        _refused(d, sign(METER_KEY, d.leaseId));
        _refused(d, sign(RENTER_KEY, keccak256("another order")));
        _refused(d, "");
        _refused(d, new bytes(65));
        _refused(d, new bytes(64));
    }

    /// @dev Compact signatures, as agents and meters make them, have no room for a second `s`; these have.
    function test_the_malleable_twin_of_a_signature_is_refused() public {
        Deal memory d = dealOf(1);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(RENTER_KEY, d.leaseId);
        bytes32 twin = bytes32(CURVE_ORDER - uint256(s));
        uint8 other = v == 27 ? 28 : 27;
        vm.assertEq(ecrecover(d.leaseId, other, r, twin), renter, "recovers to the renter all the same");
        _refused(d, abi.encodePacked(r, twin, other));
    }

    function test_a_balance_that_is_too_small_is_refused() public {
        ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](1);
        asks[0] = matched(0, askOf(0), 1000);
        Deal memory d = deal(orderFor(asks), asks);
        vm.expectRevert(
            abi.encodeWithSelector(ILeaseTypes.InsufficientBalance.selector, renter, FUNDS, d.order.deposit)
        );
        vm.prank(renter);
        escrow.openFromBalance(d.order, d.asks, "");
    }

    function test_a_signature_opens_once() public {
        Deal memory d = dealOf(1);
        bytes memory signature = sign(RENTER_KEY, d.leaseId);
        escrow.openFromBalance(d.order, d.asks, signature);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.AlreadyOpened.selector, d.leaseId));
        escrow.openFromBalance(d.order, d.asks, signature);
    }

    function test_a_contract_wallet_says_for_itself_what_it_signed() public {
        Wallet wallet = new Wallet(vm.addr(5));
        Deal memory d = _ofWallet(address(wallet));
        bytes memory signature = sign(5, d.leaseId);
        vm.prank(relayer);
        escrow.openFromBalance(d.order, d.asks, signature);
        vm.assertTrue(escrow.lease(d.leaseId).state == ILeaseTypes.State.ACTIVE, "active");
    }

    function test_a_contract_wallet_can_refuse() public {
        Wallet wallet = new Wallet(vm.addr(5));
        Deal memory d = _ofWallet(address(wallet));
        _refused(d, sign(6, d.leaseId));
        wallet.refuseEverything();
        _refused(d, sign(5, d.leaseId));
    }

    /// @dev EIP-7702: the renter's account has code, which refuses everything; its key still counts.
    function test_a_key_counts_before_the_code_of_its_account() public {
        Deal memory d = dealOf(1);
        Wallet refusing = new Wallet(address(1));
        refusing.refuseEverything();
        vm.etch(renter, address(refusing).code);
        bytes memory signature = sign(RENTER_KEY, d.leaseId);
        vm.prank(relayer);
        escrow.openFromBalance(d.order, d.asks, signature);
        vm.assertTrue(escrow.lease(d.leaseId).state == ILeaseTypes.State.ACTIVE, "active");
    }

    function _ofWallet(address wallet) private returns (Deal memory) {
        fund(wallet, FUNDS);
        vm.prank(wallet);
        escrow.deposit(FUNDS);
        ILeaseTypes.MatchedAsk[] memory asks = asksOf(1);
        ILeaseTypes.Order memory order = orderFor(asks);
        order.renter = wallet;
        return deal(order, asks);
    }

    function _refused(Deal memory d, bytes memory signature) private {
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.BadOrderSignature.selector, d.order.renter));
        vm.prank(relayer);
        escrow.openFromBalance(d.order, d.asks, signature);
    }
}
