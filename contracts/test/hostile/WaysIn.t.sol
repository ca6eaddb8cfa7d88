// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {HostileFixture} from "./HostileFixture.sol";
import {HostileToken} from "./HostileToken.sol";

/// @notice A token that keeps back, gives more, moves nothing, or lacks what was called: every way in refuses.
contract WaysInTest is HostileFixture {
    /// @dev The hostile token takes any authorization and does nothing, as one with a fallback would.
    function test_authorizations_that_move_nothing_do_nothing() public {
        Deal memory d = dealOf(1);
        _inexact(d.order.deposit);
        escrow.openWithAuthorization(d.order, d.asks, 0, type(uint256).max, 27, 0, 0);
        ILeaseTypes.OrderSet memory set = ILeaseTypes.OrderSet(renter, d.leaseId, 1, 50e6, uint40(START), 1);
        _inexact(50e6);
        escrow.fundSet(set, 0, type(uint256).max, 27, 0, 0);
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        _inexact(50e6);
        escrow.grantSessionWithAuthorization(g, 50e6, 0, type(uint256).max, 27, 0, 0);
        Live memory l = liveOf(1);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit += 5e6;
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        _inexact(5e6);
        escrow.changeWithAuthorization(settlement, c, nobody(), noAsks(), 0, type(uint256).max, 27, 0, 0);
    }

    /// @dev Else anybody could grant itself a key on anybody's balance: nothing was asked of the token but to answer.
    function test_authorizations_of_nothing_grant_nothing() public {
        bytes memory expected =
            abi.encodeWithSelector(ILeaseTypes.OrderOutOfRange.selector, bytes32("amount"));
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        g.key = relayer;
        vm.expectRevert(expected);
        vm.prank(relayer);
        escrow.grantSessionWithAuthorization(g, 0, 0, type(uint256).max, 27, 0, 0);
        ILeaseTypes.OrderSet memory set = ILeaseTypes.OrderSet(renter, 0, 1, 0, uint40(START), 1);
        vm.expectRevert(expected);
        vm.prank(relayer);
        escrow.fundSet(set, 0, type(uint256).max, 27, 0, 0);
        Live memory l = liveOf(1);
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        ILeaseTypes.Change memory c = changeOf(l);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.ChangeOutOfRange.selector, bytes32("deposit")));
        vm.prank(relayer);
        escrow.changeWithAuthorization(settlement, c, nobody(), noAsks(), 0, type(uint256).max, 27, 0, 0);
        vm.assertEq(escrow.session(renter, relayer).validUntil, 0, "no key");
    }

    function test_permit2_with_a_token_that_keeps_back_or_gives_more() public {
        HostileToken.Mode[2] memory modes = [HostileToken.Mode.TAKES_A_FEE, HostileToken.Mode.GIVES_MORE];
        Deal memory d = _ofWallet();
        for (uint256 i; i < 2; ++i) {
            hostile.set(modes[i]);
            uint256 deposit = d.order.deposit;
            uint256 received = i == 0 ? deposit - deposit / 100 : deposit + deposit / 100;
            vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.TokenNotExact.selector, received, deposit));
            escrow.openWithPermit2(d.order, d.asks, i, block.timestamp, "");
        }
        hostile.set(HostileToken.Mode.RETURNS_FALSE);
        vm.expectRevert();
        escrow.openWithPermit2(d.order, d.asks, 3, block.timestamp, "");
        hostile.set(HostileToken.Mode.RETURNS_NOTHING);
        escrow.openWithPermit2(d.order, d.asks, 3, block.timestamp, "");
    }

    function test_a_token_that_gives_more_is_refused_on_the_way_in() public {
        Deal memory d = dealOf(1);
        hostile.set(HostileToken.Mode.GIVES_MORE);
        uint256 deposit = d.order.deposit;
        bytes memory expected =
            abi.encodeWithSelector(ILeaseTypes.TokenNotExact.selector, deposit + deposit / 100, deposit);
        vm.expectRevert(expected);
        vm.prank(renter);
        escrow.open(d.order, d.asks);
        vm.expectRevert(expected);
        vm.prank(renter);
        escrow.deposit(deposit);
    }

    function test_a_paused_token_lets_nothing_in() public {
        Deal memory d = dealOf(1);
        hostile.set(HostileToken.Mode.PAUSED);
        vm.startPrank(renter);
        vm.expectRevert();
        escrow.open(d.order, d.asks);
        vm.expectRevert();
        escrow.deposit(1);
        vm.stopPrank();
        vm.assertTrue(escrow.lease(d.leaseId).state == ILeaseTypes.State.NONE, "not opened");
    }

    /// @dev What is here already needs no token: leases open, change and close while it is paused.
    function test_the_market_goes_on_from_balances_while_the_token_is_paused() public {
        hostile.set(HostileToken.Mode.PAUSED);
        grant(grantOf(renter));
        Live memory l = liveBySession(1);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit += 60e6;
        change(l, c, joining(1));
        vm.warp(START + 100);
        leaves(l, rowOf(l, all(2, 1e9)), 0, 100);
        vm.assertEq(close(closingOf(l, rowOf(l, all(2, 1e9)), _claims())), 1, "closed");
        vm.assertEq(escrow.balanceOf(renter), FUNDS - escrow.lease(l.d.leaseId).charged, "refunded here");
    }

    /// @dev Rebasing tokens are not for escrows; what each is owed is counted here all the same, and nobody gets more.
    function test_a_token_that_rebases_up_gives_nobody_more_and_down_pays_those_that_come_first() public {
        Deal memory d = opened(1);
        uint256 held = token.balanceOf(address(escrow));
        hostile.rebase(address(escrow), held * 2);
        vm.assertEq(escrow.balanceOf(renter), FUNDS, "counted here");
        vm.warp(START + 100);
        vm.assertEq(close(closing(d, row(d, all(1, 100)), all(1, 100))), 1, "closed");
        vm.prank(renter);
        escrow.withdraw(FUNDS);
        uint256 charged = escrow.lease(d.leaseId).charged;
        vm.assertEq(token.balanceOf(address(escrow)), held + charged, "what came stays");
        hostile.rebase(address(escrow), 0);
        address[] memory owners = new address[](1);
        owners[0] = operatorOf(0);
        escrow.sweep(owners);
        vm.assertEq(
            escrow.balanceOf(operatorOf(0)), charged - charged * FEE_BPS / 10_000, "kept until there is money"
        );
    }

    function test_tokens_with_no_decimals_and_with_eighteen() public {
        uint64[2] memory rates = [uint64(1), type(uint64).max]; // a base unit a decade; 18 "dollars" a second
        for (uint256 i; i < 2; ++i) {
            vm.warp(START);
            ILeaseTypes.Ask memory ask = askOf(i);
            ask.rate = rates[i];
            ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](1);
            asks[0] = matched(i, ask, 1);
            Deal memory d = deal(orderFor(asks), asks);
            token.mint(renter, d.order.deposit);
            open(d);
            vm.warp(START + 3 days);
            uint256 before = token.balanceOf(renter);
            vm.assertEq(finalize(row(d, all(1, type(uint96).max))), 1, "ended");
            uint256 charged = uint256(MAX_SECONDS) * rates[i] / 1e9;
            vm.assertEq(escrow.lease(d.leaseId).charged, charged, "charged");
            vm.assertEq(token.balanceOf(renter) - before, d.order.deposit - charged, "refund");
        }
    }

    function _claims() private pure returns (uint96[] memory units) {
        units = new uint96[](2);
        (units[0], units[1]) = (100, 60);
    }

    /// @dev An order of a wallet that signs everything, so that the token alone decides.
    function _ofWallet() private returns (Deal memory d) {
        address wallet = address(new Agreeing());
        token.mint(wallet, 1e12);
        vm.prank(wallet);
        token.approve(permit2, type(uint256).max);
        d = dealOf(1);
        d.order.renter = wallet;
        d = deal(d.order, d.asks);
    }

    function _inexact(uint256 amount) private {
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.TokenNotExact.selector, 0, amount));
    }
}

contract Agreeing {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        return this.isValidSignature.selector;
    }
}
