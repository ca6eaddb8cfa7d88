// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {SessionFixture} from "../SessionFixture.sol";
import {Wallet} from "../Wallet.sol";

contract WithdrawForTest is SessionFixture {
    address private constant TO = address(0x70);
    uint40 private constant DEADLINE = uint40(START + 60);

    function test_anybody_brings_the_owners_signature() public {
        bytes memory signature = _signed(TO, 4e6, DEADLINE, RENTER_KEY);
        vm.expectEmit(address(escrow));
        emit ILeaseTypes.Withdrawn(renter, 4e6);
        vm.prank(relayer);
        escrow.withdrawFor(renter, TO, 4e6, DEADLINE, signature);
        vm.assertEq(token.balanceOf(TO), 4e6, "sent");
        vm.assertEq(escrow.balanceOf(renter), FUNDS - 4e6, "left");
        vm.assertEq(nonceOf(renter), 1, "nonce used");
    }

    function test_an_operator_takes_its_earnings_to_another_address() public {
        address operator = vm.addr(9);
        joinAgent(9, operator);
        ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](1);
        ILeaseTypes.Ask memory ask = askOf(9);
        ask.operator = operator;
        asks[0] = matched(9, ask, 1);
        Deal memory d = deal(orderFor(asks), asks);
        open(d);
        vm.warp(START + 50);
        checkpoint(row(d, all(1, 50)));
        uint256 earned = escrow.balanceOf(operator);
        vm.assertGe(earned, 1, "earned");
        bytes memory signature = sign(9, digests.hashWithdraw(operator, TO, earned, 0, DEADLINE));
        escrow.withdrawFor(operator, TO, earned, DEADLINE, signature);
        vm.assertEq(token.balanceOf(TO), earned, "sent");
        vm.assertEq(escrow.balanceOf(operator), 0, "all of it");
    }

    function test_a_contract_wallet_says_for_itself_what_it_signed() public {
        Wallet wallet = new Wallet(vm.addr(5));
        fund(address(wallet), 10e6);
        vm.prank(address(wallet));
        escrow.deposit(10e6);
        bytes memory signature = sign(5, digests.hashWithdraw(address(wallet), TO, 1e6, 0, DEADLINE));
        escrow.withdrawFor(address(wallet), TO, 1e6, DEADLINE, signature);
        signature = sign(5, digests.hashWithdraw(address(wallet), TO, 1e6, 1, DEADLINE));
        wallet.refuseEverything();
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.BadSignature.selector, address(wallet)));
        escrow.withdrawFor(address(wallet), TO, 1e6, DEADLINE, signature);
    }

    function test_a_signature_withdraws_once() public {
        bytes memory signature = _signed(TO, 4e6, DEADLINE, RENTER_KEY);
        escrow.withdrawFor(renter, TO, 4e6, DEADLINE, signature);
        _refused(renter, TO, 4e6, DEADLINE, signature);
        vm.assertEq(token.balanceOf(TO), 4e6, "once");
    }

    function test_the_escrow_itself_is_no_target() public {
        bytes memory signature = _signed(address(escrow), 4e6, DEADLINE, RENTER_KEY);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.OrderOutOfRange.selector, bytes32("to")));
        escrow.withdrawFor(renter, address(escrow), 4e6, DEADLINE, signature);
    }

    function test_a_refused_signature_uses_no_nonce() public {
        bytes memory signature = _signed(TO, 4e6, DEADLINE, RENTER_KEY);
        _refused(renter, TO, 5e6, DEADLINE, signature);
        vm.assertEq(nonceOf(renter), 0, "unused");
        escrow.withdrawFor(renter, TO, 4e6, DEADLINE, signature);
    }

    /// @dev One row of nonces for all that a renter signs for others to bring: a grant voids a withdrawal of its number.
    function test_nonces_are_shared_with_grants() public {
        bytes memory signature = _signed(TO, 4e6, DEADLINE, RENTER_KEY);
        grant(grantOf(renter));
        _refused(renter, TO, 4e6, DEADLINE, signature);
        signature = _signed(TO, 4e6, DEADLINE, RENTER_KEY);
        escrow.withdrawFor(renter, TO, 4e6, DEADLINE, signature);
        vm.assertEq(nonceOf(renter), 2, "both");
    }

    function test_the_signature_binds_owner_target_amount_and_deadline() public {
        bytes memory signature = _signed(TO, 4e6, DEADLINE, RENTER_KEY);
        _refused(renter, relayer, 4e6, DEADLINE, signature);
        _refused(renter, TO, 4e6 + 1, DEADLINE, signature);
        _refused(renter, TO, 4e6, DEADLINE + 1, signature);
        _refused(treasury, TO, 4e6, DEADLINE, signature);
        _refused(address(0), TO, 0, DEADLINE, new bytes(65));
        escrow.withdrawFor(renter, TO, 4e6, DEADLINE, signature);
    }

    function test_nobody_elses_signature_withdraws() public {
        uint256[4] memory others = [METER_KEY, SESSION_KEY, agentSecret(0), uint256(7)];
        grant(grantOf(renter));
        for (uint256 i; i < others.length; ++i) {
            _refused(renter, TO, 4e6, DEADLINE, _signed(TO, 4e6, DEADLINE, others[i]));
        }
        _refused(renter, TO, 4e6, DEADLINE, "");
    }

    function test_the_deadline_holds_to_its_last_second() public {
        bytes memory signature = _signed(TO, 4e6, DEADLINE, RENTER_KEY);
        vm.warp(DEADLINE + 1);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.SignatureExpired.selector, DEADLINE));
        escrow.withdrawFor(renter, TO, 4e6, DEADLINE, signature);
        vm.warp(DEADLINE);
        escrow.withdrawFor(renter, TO, 4e6, DEADLINE, signature);
    }

    function test_the_last_base_unit_can_be_taken_and_not_one_more() public {
        bytes memory signature = _signed(TO, FUNDS + 1, DEADLINE, RENTER_KEY);
        vm.expectRevert(
            abi.encodeWithSelector(ILeaseTypes.InsufficientBalance.selector, renter, FUNDS, FUNDS + 1)
        );
        escrow.withdrawFor(renter, TO, FUNDS + 1, DEADLINE, signature);
        signature = _signed(TO, type(uint256).max, DEADLINE, RENTER_KEY);
        vm.expectRevert(
            abi.encodeWithSelector(ILeaseTypes.InsufficientBalance.selector, renter, FUNDS, type(uint256).max)
        );
        escrow.withdrawFor(renter, TO, type(uint256).max, DEADLINE, signature);
        signature = _signed(TO, FUNDS, DEADLINE, RENTER_KEY);
        escrow.withdrawFor(renter, TO, FUNDS, DEADLINE, signature);
        vm.assertEq(escrow.balanceOf(renter), 0, "all of it");
    }

    function _signed(address to, uint256 amount, uint40 deadline, uint256 key)
        private
        view
        returns (bytes memory)
    {
        return sign(key, digests.hashWithdraw(renter, to, amount, nonceOf(renter), deadline));
    }

    function _refused(address owner, address to, uint256 amount, uint40 deadline, bytes memory signature)
        private
    {
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.BadSignature.selector, owner));
        escrow.withdrawFor(owner, to, amount, deadline, signature);
    }
}
