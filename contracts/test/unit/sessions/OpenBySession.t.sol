// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../../src/interfaces/ILeaseTypes.sol";
import {SessionFixture} from "../../SessionFixture.sol";

contract OpenBySessionTest is SessionFixture {
    function setUp() public override {
        super.setUp();
        grant(grantOf(renter));
    }

    // ---------------------------------------------------------------- opening

    function test_the_key_opens_from_the_renters_balance() public {
        Deal memory d = sessionDealOf(2);
        openBySession(d);
        vm.assertTrue(escrow.lease(d.leaseId).state == ILeaseTypes.State.ACTIVE, "active");
        vm.assertEq(escrow.balanceOf(renter), FUNDS - d.order.deposit, "taken from the balance");
        vm.assertEq(spent(), d.order.deposit, "counted");
    }

    function test_anybody_brings_the_keys_signature() public {
        Deal memory d = sessionDealOf(2);
        bytes memory signature = sign(SESSION_KEY, d.leaseId);
        vm.prank(relayer);
        escrow.openFromBalance(d.order, d.asks, signature);
        vm.assertEq(spent(), d.order.deposit, "counted");
    }

    function test_nobody_else_opens_an_order_of_the_key() public {
        Deal memory d = sessionDealOf(1);
        bytes memory bad = abi.encodeWithSelector(ILeaseTypes.BadSignature.selector, session);
        vm.expectRevert(bad);
        vm.prank(renter);
        escrow.openFromBalance(d.order, d.asks, "");
        bytes memory signature = sign(RENTER_KEY, d.leaseId);
        vm.expectRevert(bad);
        escrow.openFromBalance(d.order, d.asks, signature);
        signature = sign(SESSION_KEY, keccak256("another"));
        vm.expectRevert(bad);
        escrow.openFromBalance(d.order, d.asks, signature);
    }

    function test_an_order_without_the_key_needs_the_renter() public {
        Deal memory d = dealOf(1);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.BadOrderSignature.selector, renter));
        vm.prank(session);
        escrow.openFromBalance(d.order, d.asks, "");
    }

    function test_the_key_opens_for_no_other_renter() public {
        address other = address(0x0DD);
        fund(other, FUNDS);
        vm.prank(other);
        escrow.deposit(FUNDS);
        ILeaseTypes.MatchedAsk[] memory asks = asksOf(1);
        ILeaseTypes.Order memory order = orderFor(asks);
        (order.renter, order.session) = (other, session);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.SessionNotValid.selector, other, session, 0));
        vm.prank(session);
        escrow.openFromBalance(order, asks, "");
    }

    function test_the_key_cannot_withdraw_sweep_or_grant() public {
        vm.startPrank(session);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.InsufficientBalance.selector, session, 0, 1));
        escrow.withdraw(1);
        bytes32 digest = digests.hashWithdraw(renter, session, 1, nonceOf(renter), uint40(START));
        bytes memory signature = sign(SESSION_KEY, digest);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.BadSignature.selector, renter));
        escrow.withdrawFor(renter, session, 1, uint40(START), signature);
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        signature = sign(SESSION_KEY, digests.hashSessionGrant(g));
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.BadSignature.selector, renter));
        escrow.grantSession(g, signature);
        address[] memory owners = new address[](1);
        owners[0] = renter;
        escrow.sweep(owners);
        vm.assertEq(escrow.balanceOf(renter), FUNDS, "nothing left");
    }

    function test_a_balance_that_is_too_small_is_refused() public {
        vm.prank(renter);
        escrow.withdraw(FUNDS - 1);
        Deal memory d = sessionDealOf(1);
        vm.expectRevert(
            abi.encodeWithSelector(ILeaseTypes.InsufficientBalance.selector, renter, 1, d.order.deposit)
        );
        vm.prank(session);
        escrow.openFromBalance(d.order, d.asks, "");
    }

    /// @dev Other ways in know the renter alone; a session's lease would refund to where it did not come from.
    function test_orders_of_a_key_open_in_no_other_way() public {
        Deal memory d = sessionDealOf(1);
        bytes memory expected =
            abi.encodeWithSelector(ILeaseTypes.OrderOutOfRange.selector, bytes32("session"));
        ILeaseTypes.OrderSet memory set;
        vm.startPrank(renter);
        vm.expectRevert(expected);
        escrow.open(d.order, d.asks);
        vm.expectRevert(expected);
        escrow.openWithPermit(d.order, d.asks, 0, 0, 0, 0);
        vm.expectRevert(expected);
        escrow.openWithAuthorization(d.order, d.asks, 0, 0, 0, 0, 0);
        vm.expectRevert(expected);
        escrow.openFromSet(d.order, d.asks, set, new bytes32[](0), "");
    }

    // ---------------------------------------------------------------- limits

    function test_spending_ends_at_the_limit() public {
        Deal memory d = sessionDealOf(2);
        _limit(d.order.deposit - 1, RATE, MAX_DEVICES);
        _limited(d, "spend", d.order.deposit, d.order.deposit - 1);
        _limit(d.order.deposit, RATE, MAX_DEVICES);
        openBySession(d);
        Deal memory next = sessionDealOf(1);
        _limited(next, "spend", uint256(d.order.deposit) + next.order.deposit, d.order.deposit);
        _limit(d.order.deposit + next.order.deposit, RATE, MAX_DEVICES);
        openBySession(next);
        vm.assertEq(spent(), uint256(d.order.deposit) + next.order.deposit, "both");
    }

    function test_asks_above_the_rate_are_refused() public {
        Deal memory d = sessionDealOf(2);
        _limit(SPEND_LIMIT, RATE - 1, MAX_DEVICES);
        _limited(d, "rate", RATE, RATE - 1);
        _limit(SPEND_LIMIT, RATE, MAX_DEVICES);
        ILeaseTypes.Ask memory dear = askOf(1);
        dear.rate = RATE + 1;
        d.asks[1] = matched(1, dear, 1);
        Deal memory mixed = sessionDeal(d.asks);
        _limited(mixed, "rate", RATE + 1, RATE);
        _limit(SPEND_LIMIT, RATE + 1, MAX_DEVICES);
        openBySession(mixed);
    }

    function test_devices_of_a_lease_are_counted_over_its_asks() public {
        ILeaseTypes.MatchedAsk[] memory asks = asksOf(2);
        asks[1] = matched(1, askOf(1), 3);
        Deal memory d = sessionDeal(asks);
        _limit(SPEND_LIMIT, RATE, 3);
        _limited(d, "devices", 4, 3);
        _limit(SPEND_LIMIT, RATE, 4);
        openBySession(d);
        openBySession(sessionDeal(asks));
        vm.assertEq(escrow.devicesInUse(agentKey(1)), 6, "of one lease, not of all");
    }

    function test_the_sum_of_devices_cannot_wrap() public {
        ILeaseTypes.Ask memory ask = askOf(0);
        (ask.devices, ask.rate) = (type(uint32).max, 1);
        ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](2);
        asks[0] = matched(0, ask, type(uint32).max);
        ask = askOf(1);
        (ask.devices, ask.rate) = (type(uint32).max, 1);
        asks[1] = matched(1, ask, 2);
        Deal memory d = sessionDeal(asks);
        _limit(SPEND_LIMIT, RATE, type(uint32).max);
        _limited(d, "devices", uint256(type(uint32).max) + 2, type(uint32).max);
    }

    function test_the_grant_holds_to_its_last_second() public {
        Deal memory d = sessionDealOf(1);
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        g.validUntil = uint40(START - 1);
        grant(g);
        vm.expectRevert(
            abi.encodeWithSelector(ILeaseTypes.SessionNotValid.selector, renter, session, START - 1)
        );
        vm.prank(session);
        escrow.openFromBalance(d.order, d.asks, "");
        g.nonce += 1;
        g.validUntil = uint40(START);
        grant(g);
        openBySession(d);
    }

    function test_a_grant_of_nothing_opens_nothing() public {
        Deal memory d = sessionDealOf(1);
        _limit(0, RATE, MAX_DEVICES);
        _limited(d, "spend", d.order.deposit, 0);
        _limit(SPEND_LIMIT, 0, MAX_DEVICES);
        _limited(d, "rate", RATE, 0);
        _limit(SPEND_LIMIT, RATE, 0);
        _limited(d, "devices", 1, 0);
    }

    // ---------------------------------------------------------------- what comes back

    function test_a_refund_goes_to_the_balance_and_can_be_spent_again() public {
        Deal memory d = sessionDealOf(1);
        _limit(d.order.deposit, RATE, MAX_DEVICES);
        openBySession(d);
        vm.warp(START + 100);
        uint256 charge = uint256(60) * RATE / 1e9;
        uint256 outside = token.balanceOf(renter);
        ILeaseTypes.Closing memory c = closing(d, row(d, all(1, 100)), all(1, 60));
        vm.expectEmit(address(escrow));
        emit ILeaseTypes.Closed(d.leaseId, charge, d.order.deposit - charge);
        close(c);
        vm.assertEq(token.balanceOf(renter), outside, "nothing leaves the escrow");
        vm.assertEq(escrow.balanceOf(renter), FUNDS - charge, "all but what was charged");
        vm.assertEq(spent(), charge, "only what was charged is spent");
    }

    function test_a_lease_that_ends_unpaid_gives_all_back() public {
        Deal memory d = sessionDealOf(2);
        openBySession(d);
        vm.warp(START + 3 days);
        vm.assertEq(finalize(rowWithoutVoucher(d, new uint96[](0))), 1, "ended");
        vm.assertEq(spent(), 0, "nothing spent");
        vm.assertEq(escrow.balanceOf(renter), FUNDS, "all back");
    }

    function test_a_refund_is_taken_off_under_a_later_grant_too() public {
        Deal memory d = sessionDealOf(1);
        openBySession(d);
        _limit(1, 1, 1);
        vm.assertEq(close(closing(d, rowWithoutVoucher(d, new uint96[](0)), all(1, 0))), 1, "closed");
        vm.assertEq(spent(), 0, "nothing spent");
    }

    function test_a_session_key_stops_its_lease_and_no_other() public {
        Deal memory d = sessionDealOf(1);
        openBySession(d);
        vm.prank(session);
        escrow.stop(d.order, d.membersHash);
        vm.assertEq(escrow.lease(d.leaseId).stopAt, START, "stopped");
        Deal memory other = opened(1);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.MayNotStop.selector, session));
        vm.prank(session);
        escrow.stop(other.order, other.membersHash);
    }

    function _limit(uint96 spendLimit, uint64 maxRate, uint32 maxDevices) private {
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        (g.spendLimit, g.maxRate, g.maxDevices) = (spendLimit, maxRate, maxDevices);
        grant(g);
    }

    function _limited(Deal memory d, bytes32 field, uint256 wanted, uint256 limit) private {
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.SessionLimit.selector, field, wanted, limit));
        vm.prank(session);
        escrow.openFromBalance(d.order, d.asks, "");
    }
}
