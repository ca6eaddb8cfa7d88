// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {ChangeFixture} from "../ChangeFixture.sol";

/// @notice Zero, one and the largest value of every field: each is taken, or refused by its name, and nothing wraps.
/// @dev Fields of grants and sets are in `GrantSession.t.sol` and `OpenFromSet.t.sol`; those of vouchers and claims in
/// `Checkpoint.t.sol`, `Close.t.sol` and `fuzz/`.
contract BoundsTest is ChangeFixture {
    bytes private constant TAKEN = "";

    // ---------------------------------------------------------------- orders

    function test_order_renter() public {
        Deal memory d = dealOf(1);
        address[3] memory renters = [address(0), address(1), address(type(uint160).max)];
        for (uint256 i; i < 3; ++i) {
            d.order.renter = renters[i];
            _open(d.order, d.asks, abi.encodeWithSelector(ILeaseTypes.NotRenter.selector, renter, renters[i]));
            vm.expectRevert(
                abi.encodeWithSelector(
                    ILeaseTypes.InsufficientBalance.selector, renters[i], 0, d.order.deposit
                )
            );
            escrow.openFromBalance(d.order, d.asks, new bytes(65));
        }
    }

    function test_order_session_and_meter_key() public {
        Deal memory d = dealOf(1);
        d.order.session = address(1);
        _open(d.order, d.asks, _orderRange("session"));
        d.order.session = address(type(uint160).max);
        _open(d.order, d.asks, _orderRange("session"));
        d.order.session = address(0);
        d.order.meterKey = address(0);
        _open(d.order, d.asks, _orderRange("meterKey"));
        d.order.meterKey = address(1);
        _open(d.order, d.asks, TAKEN);
        d.order.meterKey = address(type(uint160).max);
        _open(d.order, d.asks, TAKEN);
    }

    function test_order_deposit() public {
        Deal memory d = dealOf(1);
        uint96 required = d.order.deposit;
        d.order.deposit = 0;
        _open(d.order, d.asks, abi.encodeWithSelector(ILeaseTypes.DepositTooSmall.selector, 0, required));
        d.order.deposit = 1;
        _open(d.order, d.asks, abi.encodeWithSelector(ILeaseTypes.DepositTooSmall.selector, 1, required));
        d.order.deposit = type(uint96).max;
        token.mint(renter, type(uint96).max);
        _open(d.order, d.asks, TAKEN);
    }

    function test_order_max_seconds() public {
        Deal memory d = dealOf(1);
        d.order.maxSeconds = 0;
        _open(d.order, d.asks, _orderRange("maxSeconds"));
        d.order.maxSeconds = 1;
        _open(d.order, d.asks, TAKEN);
        d.order.maxSeconds = type(uint40).max;
        _open(d.order, d.asks, _askRange("maxSeconds"));
        d.asks[0].ask.maxSeconds = type(uint40).max;
        d.asks[0].ask.rate = 1;
        d.asks[0] = matched(0, d.asks[0].ask, 1);
        _open(d.order, d.asks, TAKEN);
    }

    function test_order_close_window_and_prepay() public {
        Deal memory d = dealOf(1);
        uint32[5] memory windows = [uint32(0), 1, 15 minutes - 1, 7 days + 1, type(uint32).max];
        for (uint256 i; i < windows.length; ++i) {
            d.order.closeWindow = windows[i];
            _open(d.order, d.asks, _orderRange("closeWindow"));
        }
        d.order.closeWindow = 7 days;
        d.order.prepay = type(uint16).max;
        _open(d.order, d.asks, _orderRange("prepay"));
        d.order.prepay = 61;
        _open(d.order, d.asks, _orderRange("prepay"));
        d.order.prepay = 60;
        _open(d.order, d.asks, TAKEN);
        d.asks[0].ask.prepay = 0;
        d.asks[0].ask.closeWindow = 15 minutes;
        d.asks[0] = matched(0, d.asks[0].ask, 1);
        (d.order.prepay, d.order.closeWindow) = (0, 15 minutes);
        _open(d.order, d.asks, TAKEN);
        d.order.prepay = 1;
        _open(d.order, d.asks, TAKEN);
    }

    function test_order_fee_and_time() public {
        Deal memory d = dealOf(1);
        d.order.maxFeeBps = 0;
        _open(d.order, d.asks, abi.encodeWithSelector(ILeaseTypes.FeeAboveMaximum.selector, FEE_BPS, 0));
        d.order.maxFeeBps = 1;
        _open(d.order, d.asks, abi.encodeWithSelector(ILeaseTypes.FeeAboveMaximum.selector, FEE_BPS, 1));
        d.order.maxFeeBps = type(uint16).max;
        _open(d.order, d.asks, TAKEN);
        d.order.openBy = 0;
        _open(d.order, d.asks, abi.encodeWithSelector(ILeaseTypes.OrderExpired.selector, 0));
        d.order.openBy = 1;
        _open(d.order, d.asks, abi.encodeWithSelector(ILeaseTypes.OrderExpired.selector, 1));
        d.order.openBy = type(uint40).max;
        _open(d.order, d.asks, TAKEN);
    }

    function test_order_workload_and_salt() public {
        Deal memory d = dealOf(1);
        uint256[3] memory words = [uint256(0), 1, type(uint256).max];
        for (uint256 i; i < 3; ++i) {
            d.order.workload = bytes32(words[i]);
            (d.order.salt, d.order.openBy) = (words[i], type(uint40).max);
            _open(d.order, d.asks, TAKEN);
        }
    }

    // ---------------------------------------------------------------- asks

    function test_ask_devices_and_devices_taken() public {
        ILeaseTypes.Ask memory ask = askOf(0);
        ask.devices = 0;
        _take(ask, 1, abi.encodeWithSelector(ILeaseTypes.AskOversold.selector, 0, 0, 1, 0));
        _take(ask, 0, _askRange("devices"));
        _take(
            ask,
            type(uint32).max,
            abi.encodeWithSelector(ILeaseTypes.AskOversold.selector, 0, 0, type(uint32).max, 0)
        );
        ask.devices = 1;
        _take(ask, 1, TAKEN);
        _take(ask, 1, abi.encodeWithSelector(ILeaseTypes.AskOversold.selector, 0, 1, 1, 1));
        ask = askOf(1);
        (ask.devices, ask.rate) = (type(uint32).max, 1);
        _take(ask, type(uint32).max, TAKEN);
        _take(
            ask,
            1,
            abi.encodeWithSelector(ILeaseTypes.AskOversold.selector, 0, type(uint32).max, 1, type(uint32).max)
        );
    }

    function test_ask_rate_and_max_seconds() public {
        ILeaseTypes.Ask memory ask = askOf(0);
        ask.rate = 0;
        _take(ask, 1, _askRange("rate"));
        ask.rate = 1;
        _take(ask, 1, TAKEN);
        ask.rate = type(uint64).max;
        token.mint(renter, 1e30);
        _take(ask, 1, TAKEN);
        ask.rate = RATE;
        ask.maxSeconds = 0;
        _take(ask, 1, _askRange("maxSeconds"));
        ask.maxSeconds = 1;
        _take(ask, 1, _askRange("maxSeconds"));
        ask.maxSeconds = type(uint40).max;
        _take(ask, 1, TAKEN);
    }

    function test_ask_close_window_prepay_and_fee() public {
        ILeaseTypes.Ask memory ask = askOf(0);
        (ask.closeWindow, ask.prepay, ask.maxFeeBps) = (0, 0, type(uint16).max);
        _take(ask, 1, TAKEN);
        (ask.closeWindow, ask.prepay) = (1, 1);
        _take(ask, 1, TAKEN);
        ask.closeWindow = type(uint32).max;
        _take(ask, 1, _askRange("closeWindow"));
        (ask.closeWindow, ask.prepay) = (1, type(uint16).max);
        _take(ask, 1, _askRange("prepay"));
        (ask.prepay, ask.maxFeeBps) = (1, 0);
        _take(ask, 1, _askRange("maxFeeBps"));
        ask.maxFeeBps = 1;
        _take(ask, 1, _askRange("maxFeeBps"));
    }

    function test_ask_time_epoch_resource_and_salt() public {
        ILeaseTypes.Ask memory ask = askOf(0);
        ask.validUntil = 0;
        _take(ask, 1, abi.encodeWithSelector(ILeaseTypes.AskExpired.selector, 0, 0));
        ask.validUntil = 1;
        _take(ask, 1, abi.encodeWithSelector(ILeaseTypes.AskExpired.selector, 0, 1));
        ask.validUntil = type(uint40).max;
        _take(ask, 1, TAKEN);
        ask.epoch = 1;
        _take(ask, 1, abi.encodeWithSelector(ILeaseTypes.AskCancelled.selector, 0, 1, 0));
        ask.epoch = type(uint32).max;
        _take(ask, 1, abi.encodeWithSelector(ILeaseTypes.AskCancelled.selector, 0, type(uint32).max, 0));
        (ask.epoch, ask.resource, ask.salt) = (0, 0, 0);
        _take(ask, 1, TAKEN);
        (ask.resource, ask.salt) = (bytes32(type(uint256).max), type(uint256).max);
        _take(ask, 1, TAKEN);
    }

    function test_ask_parties() public {
        ILeaseTypes.Ask memory ask = askOf(0);
        address[3] memory others = [address(0), address(1), address(type(uint160).max)];
        for (uint256 i; i < 3; ++i) {
            ask.operator = others[i];
            _take(
                ask, 1, abi.encodeWithSelector(ILeaseTypes.UnknownAgent.selector, 0, agentKey(0), others[i])
            );
            ask = askOf(0);
            ask.agentKey = others[i];
            _take(
                ask, 1, abi.encodeWithSelector(ILeaseTypes.UnknownAgent.selector, 0, others[i], operatorOf(0))
            );
            ask = askOf(0);
        }
    }

    // ---------------------------------------------------------------- changes

    /// @dev Those of single fields are beside their functions; here, that none of them wraps.
    function test_change_of_extreme_numbers() public {
        Live memory l = liveOf(1);
        ILeaseTypes.Change memory c = changeOf(l);
        (c.dismissed, c.maxSeconds) = (type(uint256).max, type(uint40).max);
        (c.deposit, c.changeBy) = (type(uint96).max, type(uint40).max);
        // Everybody is dismissed, so that nobody is asked; then the bits of nobody are seen.
        _change(l, c, abi.encodeWithSelector(ILeaseTypes.ChangeOutOfRange.selector, bytes32("dismissed")));
        c.dismissed = 1;
        uint256 missing = type(uint96).max - uint256(l.d.order.deposit);
        _change(
            l, c, abi.encodeWithSelector(ILeaseTypes.InsufficientBalance.selector, renter, FUNDS, missing)
        );
        c.deposit = l.d.order.deposit;
        change(l, c, nobody());
        vm.warp(type(uint40).max);
        checkpoint(rowOf(l, all(1, type(uint96).max)));
        vm.assertEq(escrow.lease(l.d.leaseId).charged, uint256(PREPAY) * RATE / 1e9, "dismissed all the same");
        vm.assertEq(finalize(rowOf(l)), 0, "a lease of 35,000 years is not over");
    }

    function test_change_of_zeros() public {
        Live memory l = liveOf(1);
        ILeaseTypes.Change memory c;
        _change(l, c, abi.encodeWithSelector(ILeaseTypes.SignatureExpired.selector, 0));
        c.changeBy = 1;
        _change(l, c, abi.encodeWithSelector(ILeaseTypes.SignatureExpired.selector, 1));
        c.changeBy = CHANGE_BY;
        _change(l, c, abi.encodeWithSelector(ILeaseTypes.ChangeOutOfRange.selector, bytes32("maxSeconds")));
        c.maxSeconds = MAX_SECONDS;
        _change(l, c, abi.encodeWithSelector(ILeaseTypes.DepositTooSmall.selector, 0, l.d.order.deposit));
        c.before = bytes32(uint256(1));
        _change(l, c, abi.encodeWithSelector(ILeaseTypes.StaleTerms.selector, l.d.leaseId));
        c.before = bytes32(type(uint256).max);
        _change(l, c, abi.encodeWithSelector(ILeaseTypes.StaleTerms.selector, l.d.leaseId));
    }

    // ---------------------------------------------------------------- private

    /// @param expected the error, or `TAKEN`
    function _open(
        ILeaseTypes.Order memory order,
        ILeaseTypes.MatchedAsk[] memory asks,
        bytes memory expected
    ) private {
        bytes32 leaseId = deal(order, asks).leaseId;
        if (expected.length != 0) vm.expectRevert(expected);
        vm.prank(renter);
        escrow.open(order, asks);
        if (expected.length != 0) return;
        vm.assertTrue(escrow.lease(leaseId).state == ILeaseTypes.State.ACTIVE, "taken");
        order.salt ^= 1 << 100;
    }

    function _take(ILeaseTypes.Ask memory ask, uint32 devices, bytes memory expected) private {
        uint256 signer = ask.agentKey == agentKey(1) ? 1 : 0;
        ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](1);
        asks[0] = matched(signer, ask, devices);
        _open(orderFor(asks), asks, expected);
    }

    function _change(Live memory l, ILeaseTypes.Change memory c, bytes memory expected) private {
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        vm.expectRevert(expected);
        vm.prank(renter);
        escrow.change(settlement, c, nobody(), noAsks(), "");
    }

    function _orderRange(bytes32 field) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ILeaseTypes.OrderOutOfRange.selector, field);
    }

    function _askRange(bytes32 field) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ILeaseTypes.AskOutOfRange.selector, 0, field);
    }
}
