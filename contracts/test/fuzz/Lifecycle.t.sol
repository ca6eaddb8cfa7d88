// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {EscrowFixture} from "../EscrowFixture.sol";

/// @notice Whole lives of leases with numbers from the whole range of their types.
contract LifecycleTest is EscrowFixture {
    function testFuzz_a_lease_of_any_size_is_shared_out_completely(
        uint32 devices,
        uint64 rate,
        uint40 maxSeconds,
        uint40 firstAt,
        uint40 secondAt,
        uint96 units
    ) public {
        Deal memory d = _sized(devices, rate, maxSeconds);
        open(d);
        vm.warp(START + bound(firstAt, 0, 1e12));
        uint96[] memory paid = _checkpointed(d, new uint96[](0), units);
        vm.warp(block.timestamp + bound(secondAt, 0, 1e12));
        paid = _checkpointed(d, paid, type(uint96).max);
        _endAndCheck(d, paid);
    }

    function test_the_largest_numbers_there_are() public {
        _liveToTheEnd(_sized(type(uint32).max, type(uint64).max, 1));
        _liveToTheEnd(_sized(1, type(uint64).max, type(uint40).max));
        _liveToTheEnd(_sized(type(uint32).max, 1, type(uint40).max));
        _liveToTheEnd(_sized(1, 1, 1));
    }

    function _liveToTheEnd(Deal memory d) private {
        open(d);
        vm.warp(type(uint40).max);
        _endAndCheck(d, _checkpointed(d, new uint96[](0), type(uint96).max));
        vm.warp(START);
    }

    /// @dev A lease of one agent; where its deposit would pass 96 bits, it is shortened until it does not.
    function _sized(uint32 devices, uint64 rate, uint40 maxSeconds) private returns (Deal memory) {
        ILeaseTypes.Ask memory ask = askOf(0);
        (ask.devices, ask.rate) = (type(uint32).max, rate == 0 ? 1 : rate);
        (ask.maxSeconds, ask.validUntil) = (type(uint40).max, type(uint40).max);
        if (devices == 0) devices = 1;
        uint256 longest = (uint256(type(uint96).max) * 1e9) / (uint256(devices) * ask.rate);
        if (longest > type(uint40).max) longest = type(uint40).max;
        ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](1);
        asks[0] = matched(0, ask, devices);
        ILeaseTypes.Order memory order = orderFor(asks);
        order.maxSeconds = uint40(bound(maxSeconds, 1, longest));
        order.deposit = requiredDeposit(asks, order.maxSeconds);
        order.openBy = type(uint40).max;
        token.mint(renter, order.deposit);
        return deal(order, asks);
    }

    function _checkpointed(Deal memory d, uint96[] memory paid, uint256 units)
        private
        returns (uint96[] memory)
    {
        uint256 elapsed = block.timestamp - START + PREPAY;
        if (elapsed > d.order.maxSeconds) elapsed = d.order.maxSeconds;
        uint256 expected = elapsed * d.members[0].devices;
        if (expected > units) expected = units;
        uint256 before = paid.length == 0 ? 0 : paid[0];
        uint256 applied = checkpoint(row(d, paid, all(1, units)));
        vm.assertEq(applied, expected > before ? 1 : 0, "applied when it proves more");
        if (applied == 0) return paid;
        vm.assertEq(escrow.lease(d.leaseId).charged, expected * d.members[0].rate / 1e9, "units times rate");
        return all(1, expected);
    }

    function _endAndCheck(Deal memory d, uint96[] memory paid) private {
        vm.warp(START + uint256(d.order.maxSeconds) + CLOSE_WINDOW + 1);
        uint256 renterBefore = token.balanceOf(renter);
        uint256 heldBefore = token.balanceOf(address(escrow));
        vm.assertEq(finalize(rowWithoutVoucher(d, paid)), 1, "ended");
        uint256 charged = escrow.lease(d.leaseId).charged;
        uint256 refund = token.balanceOf(renter) - renterBefore;
        vm.assertEq(refund + charged, d.order.deposit, "shared out");
        vm.assertEq(heldBefore - token.balanceOf(address(escrow)), refund, "nothing else moved");
        vm.assertGe(escrow.balanceOf(operatorOf(0)) + escrow.balanceOf(treasury), charged, "credited");
    }
}
