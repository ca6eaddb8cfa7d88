// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LeaseDigests} from "../../src/LeaseDigests.sol";
import {ILeaseCore} from "../../src/interfaces/ILeaseCore.sol";
import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {EscrowFixture} from "../EscrowFixture.sol";

contract OpenTest is EscrowFixture {
    // ---------------------------------------------------------------- what an opening does

    function test_escrows_the_deposit_and_starts_the_lease() public {
        Deal memory d = dealOf(3);
        uint256 before = token.balanceOf(renter);
        open(d);

        ILeaseTypes.Lease memory lease = escrow.lease(d.leaseId);
        vm.assertTrue(lease.state == ILeaseTypes.State.ACTIVE, "active");
        vm.assertEq(lease.openedAt, START, "openedAt");
        vm.assertEq(lease.stopAt, 0, "not stopping");
        vm.assertEq(lease.feeBps, FEE_BPS, "fee");
        vm.assertEq(lease.charged, 0, "nothing charged");
        vm.assertEq(before - token.balanceOf(renter), d.order.deposit, "paid");
        vm.assertEq(token.balanceOf(address(escrow)), d.order.deposit, "held");
        vm.assertEq(escrow.balanceOf(renter), 0, "the deposit is no free balance");
        vm.assertEq(escrow.paidUnitsHash(d.leaseId), 0, "nothing recorded");
    }

    function test_the_lease_id_is_the_digest_of_the_order() public {
        ILeaseTypes.Ask memory ask = askOf(1);
        ask.rate = 3 * RATE;
        Deal memory d = _with(matched(1, ask, 7));
        vm.prank(renter);
        bytes32 leaseId = escrow.open(d.order, d.asks);
        vm.assertEq(leaseId, d.leaseId, "id");
    }

    function test_announces_order_and_members_as_solidity_encodes_them() public {
        ILeaseTypes.Ask memory ask = askOf(3);
        ask.rate = 2 * RATE;
        Deal memory d = _with(matched(3, ask, 5));
        vm.expectEmit(address(escrow));
        emit ILeaseTypes.Opened(d.leaseId, renter, d.order, d.members);
        vm.prank(renter);
        escrow.open(d.order, d.asks);
    }

    function test_counts_devices_in_use_over_leases() public {
        ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](1);
        asks[0] = matched(0, askOf(0), 3);
        open(deal(orderFor(asks), asks));
        vm.assertEq(escrow.devicesInUse(agentKey(0)), 3, "first lease");
        asks[0] = matched(0, askOf(0), 5);
        open(deal(orderFor(asks), asks));
        vm.assertEq(escrow.devicesInUse(agentKey(0)), 8, "both");
        vm.assertEq(escrow.devicesInUse(agentKey(1)), 0, "others");
    }

    function test_takes_more_deposit_than_needed() public {
        Deal memory d = dealOf(1);
        d.order.deposit += 1e6;
        d = deal(d.order, d.asks);
        open(d);
        vm.assertEq(token.balanceOf(address(escrow)), d.order.deposit, "all of it");
    }

    function test_one_agent_can_be_in_an_order_twice() public {
        ILeaseTypes.Ask memory ask = askOf(0);
        ask.devices = 5;
        ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](2);
        (asks[0], asks[1]) = (matched(0, ask, 2), matched(0, ask, 3));
        open(deal(orderFor(asks), asks));
        vm.assertEq(escrow.devicesInUse(agentKey(0)), 5, "counts add up");
    }

    function test_one_agent_twice_cannot_pass_its_devices() public {
        ILeaseTypes.Ask memory ask = askOf(0);
        ask.devices = 5;
        ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](2);
        (asks[0], asks[1]) = (matched(0, ask, 3), matched(0, ask, 3));
        _expect(deal(orderFor(asks), asks), abi.encodeCall(this.oversold, (1, 3, 3, 5)));
    }

    function test_terms_at_their_limits_are_taken() public {
        Deal memory d = dealOf(1);
        d.order.prepay = 60;
        d.order.closeWindow = 7 days;
        d.order.openBy = uint40(block.timestamp);
        d.asks[0].ask.validUntil = uint40(block.timestamp);
        d.asks[0].ask.maxSeconds = d.order.maxSeconds;
        d.asks[0].ask.prepay = 60;
        d.asks[0].ask.closeWindow = 7 days;
        d.asks[0] = matched(0, d.asks[0].ask, 1);
        open(deal(d.order, d.asks));
    }

    function test_extreme_numbers_open_without_overflow() public {
        ILeaseTypes.Ask memory ask = askOf(0);
        (ask.devices, ask.rate, ask.maxSeconds) = (type(uint32).max, type(uint64).max, type(uint40).max);
        ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](1);
        asks[0] = matched(0, ask, 1);
        ILeaseTypes.Order memory order = orderFor(asks);
        (order.maxSeconds, order.deposit) = (1, 18_446_744_074);
        open(deal(order, asks));
        asks[0] = matched(0, ask, type(uint32).max - 1);
        (order.maxSeconds, order.salt) = (type(uint40).max, 1e18);
        uint256 required =
            (uint256(type(uint32).max - 1) * type(uint64).max * type(uint40).max + 1e9 - 1) / 1e9;
        _expect(deal(order, asks), abi.encodeCall(this.tooSmall, (order.deposit, required)));
    }

    // ---------------------------------------------------------------- who, when, how much

    function test_only_the_renter_opens() public {
        Deal memory d = dealOf(1);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.NotRenter.selector, relayer, renter));
        vm.prank(relayer);
        escrow.open(d.order, d.asks);
    }

    function test_an_order_opens_once() public {
        Deal memory d = opened(1);
        _expect(d, abi.encodeWithSelector(ILeaseTypes.AlreadyOpened.selector, d.leaseId));
    }

    function test_an_order_cannot_be_opened_again_after_it_closed() public {
        Deal memory d = opened(1);
        close(closing(d, rowWithoutVoucher(d, new uint96[](0)), all(1, 0)));
        _expect(d, abi.encodeWithSelector(ILeaseTypes.AlreadyOpened.selector, d.leaseId));
    }

    function test_an_order_without_members_is_refused() public {
        Deal memory d = dealOf(0);
        _expect(d, abi.encodeWithSelector(ILeaseTypes.NoMembers.selector));
    }

    function test_too_many_members_are_refused() public {
        ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](129);
        ILeaseTypes.MatchedAsk memory one = matched(0, askOf(0), 1);
        for (uint256 i; i < 129; ++i) {
            asks[i] = one;
        }
        _expect(
            deal(orderFor(asks), asks), abi.encodeWithSelector(ILeaseTypes.TooManyMembers.selector, 129, 128)
        );
    }

    function test_an_expired_order_is_refused() public {
        Deal memory d = dealOf(1);
        d.order.openBy = uint40(block.timestamp - 1);
        _expect(d, abi.encodeWithSelector(ILeaseTypes.OrderExpired.selector, d.order.openBy));
    }

    function test_a_renter_that_accepts_less_fee_is_not_charged_more() public {
        Deal memory d = dealOf(1);
        d.order.maxFeeBps = FEE_BPS - 1;
        _expect(d, abi.encodeWithSelector(ILeaseTypes.FeeAboveMaximum.selector, FEE_BPS, FEE_BPS - 1));
    }

    function test_a_deposit_below_the_largest_charge_is_refused() public {
        Deal memory d = dealOf(3);
        uint96 required = d.order.deposit;
        d.order.deposit = required - 1;
        _expect(d, abi.encodeCall(this.tooSmall, (required - 1, required)));
    }

    function test_order_terms_out_of_range_are_refused_by_name() public {
        Deal memory d = dealOf(1);
        ILeaseTypes.Order memory order = d.order;
        d.order.meterKey = address(0);
        _expect(d, abi.encodeCall(this.orderRange, ("meterKey")));
        d.order.meterKey = order.meterKey = meter;
        d.order.maxSeconds = 0;
        _expect(d, abi.encodeCall(this.orderRange, ("maxSeconds")));
        d.order.maxSeconds = MAX_SECONDS;
        d.order.prepay = 61;
        _expect(d, abi.encodeCall(this.orderRange, ("prepay")));
        d.order.prepay = PREPAY;
        d.order.closeWindow = 15 minutes - 1;
        _expect(d, abi.encodeCall(this.orderRange, ("closeWindow")));
        d.order.closeWindow = 7 days + 1;
        _expect(d, abi.encodeCall(this.orderRange, ("closeWindow")));
    }

    // ---------------------------------------------------------------- asks

    function test_an_expired_ask_is_refused() public {
        ILeaseTypes.Ask memory ask = askOf(1);
        ask.validUntil = uint40(block.timestamp - 1);
        _expectAsk(ask, 1, abi.encodeWithSelector(ILeaseTypes.AskExpired.selector, 1, ask.validUntil));
    }

    function test_asks_that_do_not_allow_the_order_are_refused_by_name() public {
        ILeaseTypes.Ask memory ask = askOf(1);
        ask.rate = 0;
        _expectAsk(ask, 1, abi.encodeCall(this.askRange, (1, "rate")));
        ask.rate = RATE;
        ask.maxSeconds = MAX_SECONDS - 1;
        _expectAsk(ask, 1, abi.encodeCall(this.askRange, (1, "maxSeconds")));
        ask.maxSeconds = MAX_SECONDS;
        ask.closeWindow = CLOSE_WINDOW + 1;
        _expectAsk(ask, 1, abi.encodeCall(this.askRange, (1, "closeWindow")));
        ask.closeWindow = CLOSE_WINDOW;
        ask.prepay = PREPAY + 1;
        _expectAsk(ask, 1, abi.encodeCall(this.askRange, (1, "prepay")));
        ask.prepay = PREPAY;
        ask.maxFeeBps = FEE_BPS - 1;
        _expectAsk(ask, 1, abi.encodeCall(this.askRange, (1, "maxFeeBps")));
        ask.maxFeeBps = FEE_BPS;
        _expectAsk(ask, 0, abi.encodeCall(this.askRange, (1, "devices")));
    }

    function test_an_ask_is_not_sold_beyond_its_devices() public {
        ILeaseTypes.Ask memory ask = askOf(1);
        ask.devices = 4;
        _expectAsk(ask, 5, abi.encodeCall(this.oversold, (1, 0, 5, 4)));
        ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](1);
        asks[0] = matched(1, ask, 3);
        open(deal(orderFor(asks), asks));
        _expectAsk(ask, 2, abi.encodeCall(this.oversold, (1, 3, 2, 4)));
    }

    function test_devices_count_over_different_asks_of_one_agent() public {
        ILeaseTypes.Ask memory ask = askOf(1);
        ask.devices = 4;
        ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](1);
        asks[0] = matched(1, ask, 3);
        open(deal(orderFor(asks), asks));
        (ask.salt, ask.rate) = (99, 2 * RATE);
        _expectAsk(ask, 2, abi.encodeCall(this.oversold, (1, 3, 2, 4)));
    }

    function test_devices_of_a_closed_lease_can_be_sold_again() public {
        ILeaseTypes.Ask memory ask = askOf(0);
        ask.devices = 4;
        ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](1);
        asks[0] = matched(0, ask, 4);
        Deal memory d = deal(orderFor(asks), asks);
        open(d);
        close(closing(d, rowWithoutVoucher(d, new uint96[](0)), all(1, 0)));
        vm.assertEq(escrow.devicesInUse(agentKey(0)), 0, "free");
        open(deal(orderFor(asks), asks));
        vm.assertEq(escrow.devicesInUse(agentKey(0)), 4, "in use again");
    }

    function test_an_unknown_agent_is_refused() public {
        ILeaseTypes.Ask memory ask = askOf(1);
        (ask.agentKey, ask.operator) = (agentKey(77), operatorOf(77));
        Deal memory d = _with(matched(77, ask, 1));
        _expect(d, abi.encodeWithSelector(ILeaseTypes.UnknownAgent.selector, 1, agentKey(77), operatorOf(77)));
    }

    function test_an_unknown_agent_of_nobody_is_refused() public {
        ILeaseTypes.Ask memory ask = askOf(1);
        (ask.agentKey, ask.operator) = (agentKey(77), address(0));
        Deal memory d = _with(matched(77, ask, 1));
        _expect(d, abi.encodeWithSelector(ILeaseTypes.UnknownAgent.selector, 1, agentKey(77), address(0)));
    }

    function test_an_agent_of_another_operator_is_refused() public {
        ILeaseTypes.Ask memory ask = askOf(1);
        ask.operator = operatorOf(2);
        _expectAsk(
            ask, 1, abi.encodeWithSelector(ILeaseTypes.UnknownAgent.selector, 1, agentKey(1), operatorOf(2))
        );
    }

    function test_asks_of_an_older_epoch_are_refused() public {
        ILeaseTypes.Ask memory ask = askOf(1);
        vm.prank(operatorOf(1));
        operators.cancelAsks(agentKey(1));
        _expectAsk(ask, 1, abi.encodeWithSelector(ILeaseTypes.AskCancelled.selector, 1, 0, 1));
    }

    function test_asks_of_an_agent_that_left_are_refused() public {
        ILeaseTypes.Ask memory ask = askOf(1);
        vm.prank(operatorOf(1));
        operators.leave(agentKey(1));
        _expectAsk(
            ask, 1, abi.encodeWithSelector(ILeaseTypes.UnknownAgent.selector, 1, agentKey(1), operatorOf(1))
        );
    }

    // ---------------------------------------------------------------- signatures of asks

    function test_an_ask_signed_by_another_key_is_refused() public {
        _expect(_with(matched(2, askOf(1), 1)), abi.encodeCall(this.badAsk, (1, agentKey(1))));
    }

    function test_an_ask_changed_after_it_was_signed_is_refused() public {
        ILeaseTypes.MatchedAsk memory changed = matched(1, askOf(1), 1);
        changed.ask.rate -= 1;
        _expect(_with(changed), abi.encodeCall(this.badAsk, (1, agentKey(1))));
        changed = matched(1, askOf(1), 1);
        changed.ask.resource = keccak256("better");
        _expect(_with(changed), abi.encodeCall(this.badAsk, (1, agentKey(1))));
        changed = matched(1, askOf(1), 1);
        changed.ask.salt += 1;
        _expect(_with(changed), abi.encodeCall(this.badAsk, (1, agentKey(1))));
    }

    function test_an_ask_for_another_chain_is_refused() public {
        LeaseDigests here = digests;
        vm.chainId(1);
        digests = deployDigests(escrow);
        ILeaseTypes.MatchedAsk memory foreign = matched(1, askOf(1), 1);
        vm.chainId(31337);
        digests = here;
        _expect(_with(foreign), abi.encodeCall(this.badAsk, (1, agentKey(1))));
    }

    function test_an_empty_signature_is_refused() public {
        ILeaseTypes.MatchedAsk memory unsigned = matched(1, askOf(1), 1);
        (unsigned.r, unsigned.vs) = (0, 0);
        _expect(_with(unsigned), abi.encodeCall(this.badAsk, (1, agentKey(1))));
    }

    /// @dev A field wider than its type: Solidity's decoder and ours refuse it alike.
    function test_fields_wider_than_their_type_are_refused() public {
        Deal memory d = dealOf(1);
        bytes memory call_ = abi.encodeCall(ILeaseCore.open, (d.order, d.asks));
        uint256 ask = 4 + 11 * 32 + 32 + 32; // selector, order, offset, length
        uint8[10] memory narrow = [0, 1, 3, 4, 5, 6, 7, 8, 9, 10];
        for (uint256 i; i < narrow.length; ++i) {
            bytes memory wide = bytes.concat(call_);
            wide[ask + uint256(narrow[i]) * 32] = 0x01;
            vm.prank(renter);
            (bool done, bytes memory reason) = address(escrow).call(wide);
            vm.assertFalse(done, "opened with a wide field");
            vm.assertEq(reason.length, 0, "refused before anything else");
        }
    }

    // ---------------------------------------------------------------- how errors are encoded

    function badAsk(uint256 member, address key) external pure {
        revert ILeaseTypes.BadAskSignature(member, key);
    }

    function askRange(uint256 member, bytes32 field) external pure {
        revert ILeaseTypes.AskOutOfRange(member, field);
    }

    function orderRange(bytes32 field) external pure {
        revert ILeaseTypes.OrderOutOfRange(field);
    }

    function oversold(uint256 member, uint256 inUse, uint256 wanted, uint256 devices) external pure {
        revert ILeaseTypes.AskOversold(member, inUse, wanted, devices);
    }

    function tooSmall(uint256 deposit, uint256 required) external pure {
        revert ILeaseTypes.DepositTooSmall(deposit, required);
    }

    /// @dev A deal of agent 0's ask and another one, at place 1.
    function _with(ILeaseTypes.MatchedAsk memory second) private returns (Deal memory) {
        ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](2);
        (asks[0], asks[1]) = (matched(0, askOf(0), 1), second);
        return deal(orderFor(asks), asks);
    }

    function _expectAsk(ILeaseTypes.Ask memory ask, uint32 devices, bytes memory expected) private {
        _expect(_with(matched(1, ask, devices)), expected);
    }

    /// @param expected the error, or a call to one of the functions above that reverts with it
    function _expect(Deal memory d, bytes memory expected) private {
        (bool mapped, bytes memory reason) = address(this).staticcall(expected);
        if (mapped || reason.length == 0) reason = expected;
        vm.expectRevert(reason);
        vm.prank(renter);
        escrow.open(d.order, d.asks);
    }
}
