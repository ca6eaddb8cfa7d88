// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {ILeaseEscrow} from "../interfaces/ILeaseEscrow.sol";
import {LeaseHash} from "../libraries/LeaseHash.sol";
import {Metering} from "../libraries/Metering.sol";
import {Words} from "../libraries/Words.sol";
import {Balances} from "./Balances.sol";
import {Leases} from "./Leases.sol";

/// @title Paying what vouchers prove, and ending leases
/// @dev Batches: a row that is wrong is skipped, so that nobody can spoil the rows of others.
abstract contract Settling is Balances, Leases {
    using Words for *;

    uint256 public constant RATE_SCALE = Metering.RATE_SCALE;

    address public immutable treasury;

    constructor(address treasury_) {
        if (treasury_ == address(0)) revert NoTreasury();
        treasury = treasury_;
    }

    /// @inheritdoc ILeaseEscrow
    function checkpoint(Settlement[] calldata rows) external nonReentrant returns (uint256 applied) {
        for (uint256 i; i < rows.length; ++i) {
            if (_checkpoint(rows[i])) ++applied;
        }
    }

    /// @inheritdoc ILeaseEscrow
    function close(Closing[] calldata rows) external nonReentrant returns (uint256 closed) {
        for (uint256 i; i < rows.length; ++i) {
            if (_close(rows[i])) ++closed;
        }
    }

    /// @inheritdoc ILeaseEscrow
    function finalize(Settlement[] calldata rows) external nonReentrant returns (uint256 closed) {
        for (uint256 i; i < rows.length; ++i) {
            if (_finalize(rows[i])) ++closed;
        }
    }

    function _checkpoint(Settlement calldata row) private returns (bool) {
        (bool open_, bytes32 leaseId, Stored memory stored) = _find(row);
        if (!open_) return false;
        (bool valid, bool rises, uint96[] memory units) = _provenUnits(row, leaseId, stored);
        if (!valid || !rises) return false;
        _pay(row, leaseId, stored, units);
        stored.checkpointed = true;
        _leases[leaseId] = stored;
        _paidUnitsHash[leaseId] = LeaseHash.hashUnits(units);
        return true;
    }

    function _close(Closing calldata row) private returns (bool) {
        (bool open_, bytes32 leaseId, Stored memory stored) = _find(row.settlement);
        if (!open_) return false;
        (bool valid,, uint96[] memory units) = _provenUnits(row.settlement, leaseId, stored);
        if (!valid || !_lowerToClaims(row, leaseId, units)) return false;
        _pay(row.settlement, leaseId, stored, units);
        _end(row.settlement, leaseId, stored);
        return true;
    }

    function _finalize(Settlement calldata row) private returns (bool) {
        (bool open_, bytes32 leaseId, Stored memory stored) = _find(row);
        if (!open_ || block.timestamp <= _windowEnd(row.order, stored)) return false;
        (bool valid,, uint96[] memory units) = _provenUnits(row, leaseId, stored);
        if (!valid) return false;
        _pay(row, leaseId, stored, units);
        _end(row, leaseId, stored);
        return true;
    }

    /// @dev The lease that a row is about, if it is open and the row knows what was paid so far.
    function _find(Settlement calldata row)
        private
        view
        returns (bool found, bytes32 leaseId, Stored memory stored)
    {
        leaseId = hashOrder(row.order, row.members);
        stored = _leases[leaseId];
        if (stored.state != State.ACTIVE) return (false, leaseId, stored);
        found = stored.checkpointed
            ? LeaseHash.hashUnitsCalldata(row.paidUnits) == _paidUnitsHash[leaseId]
            : row.paidUnits.length == 0;
    }

    /// @dev What each member has been paid for, raised to what the voucher and the clock allow now. A member whose
    /// clock was set back keeps what it has. The signature is looked at only where it would raise something.
    function _provenUnits(Settlement calldata row, bytes32 leaseId, Stored memory stored)
        private
        view
        returns (bool valid, bool rises, uint96[] memory units)
    {
        Member[] calldata members = row.members;
        uint96[] calldata vouched = row.voucher.units;
        uint40[] calldata accrueFrom = row.voucher.accrueFrom;
        units = row.paidUnits.copyOrZeros(members.length);
        if (vouched.length == 0 && accrueFrom.length == 0) return (true, false, units);
        if (vouched.length != members.length || accrueFrom.length != members.length) {
            return (false, false, units);
        }

        uint256 openedAt = stored.openedAt;
        uint256 until = Metering.payableUntil(
            block.timestamp, openedAt, stored.stopAt, row.order.maxSeconds, row.order.prepay
        );
        for (uint256 i; i < members.length; ++i) {
            uint256 payableNow = Metering.payableUnits(
                vouched.word(i), members.at(i).devices, openedAt, accrueFrom.word(i), until
            );
            if (payableNow <= units.get(i)) continue;
            units.set(i, payableNow);
            rises = true;
        }
        valid = !rises || _signedByMeter(row, leaseId);
    }

    function _signedByMeter(Settlement calldata row, bytes32 leaseId) private view returns (bool) {
        Voucher calldata voucher = row.voucher;
        bytes32 digest = _hashTypedDataV4(LeaseHash.hashVoucher(leaseId, voucher.units, voucher.accrueFrom));
        return _signedByKey(digest, voucher.r, voucher.vs, row.order.meterKey);
    }

    /// @dev Lowers `units` to the claims, if every agent signed its own and each lies between paid and proven.
    function _lowerToClaims(Closing calldata row, bytes32 leaseId, uint96[] memory units)
        private
        view
        returns (bool)
    {
        Member[] calldata members = row.settlement.members;
        uint96[] calldata claims = row.claimed;
        bytes32[] calldata r = row.r;
        bytes32[] calldata vs = row.vs;
        if (claims.length != members.length || r.length != members.length || vs.length != members.length) {
            return false;
        }
        uint96[] memory paid = row.settlement.paidUnits.copyOrZeros(members.length);
        bytes32 domainSeparator = _domainSeparatorV4();
        for (uint256 i; i < members.length; ++i) {
            uint256 claimed = claims.word(i);
            if (claimed < paid.get(i) || claimed > units.get(i)) return false;
            bytes32 digest =
                MessageHashUtils.toTypedDataHash(domainSeparator, LeaseHash.hashClose(leaseId, claimed));
            if (!_signedByKey(digest, r.word(i), vs.word(i), members.at(i).agentKey)) return false;
            units.set(i, claimed);
        }
        return true;
    }

    /// @dev Credits what `units` add to what was paid before, and raises `stored.charged` (in memory only).
    function _pay(Settlement calldata row, bytes32 leaseId, Stored memory stored, uint96[] memory units)
        private
    {
        Member[] calldata members = row.members;
        uint96[] memory paid = row.paidUnits.copyOrZeros(members.length);
        uint256 feeBps = stored.feeBps;
        bool changed;
        uint256 charged;
        uint256 fees;
        for (uint256 i; i < members.length; ++i) {
            (uint256 unitsBefore, uint256 unitsAfter) = (paid.get(i), units.get(i));
            if (unitsBefore == unitsAfter) continue;
            changed = true;
            Member calldata member = members.at(i);
            uint256 before = Metering.chargeDown(unitsBefore, member.rate);
            uint256 afterwards = Metering.chargeDown(unitsAfter, member.rate);
            // Safe: both grow with units, the fee is part of the charge, and all charges together are never more
            // than the deposit.
            unchecked {
                uint256 fee = Metering.feeDown(afterwards, feeBps) - Metering.feeDown(before, feeBps);
                charged += afterwards - before;
                fees += fee;
                _credit(member.operator, afterwards - before - fee);
            }
        }
        if (!changed) return;
        if (fees != 0) _credit(treasury, fees);
        // Safe: all charges together are never more than the deposit, which is uint96.
        // forge-lint: disable-next-line(unsafe-typecast)
        stored.charged += uint96(charged);
        emit Paid(leaseId, units, stored.charged);
    }

    /// @dev Ends a lease: devices are free again and the renter gets back what was not charged.
    function _end(Settlement calldata row, bytes32 leaseId, Stored memory stored) private {
        if (stored.checkpointed) delete _paidUnitsHash[leaseId];
        stored.state = State.CLOSED;
        stored.checkpointed = false;
        _leases[leaseId] = stored;
        Member[] calldata members = row.members;
        for (uint256 i; i < members.length; ++i) {
            Member calldata member = members.at(i);
            _devicesInUsePlusOne[member.agentKey] -= member.devices;
        }
        uint256 refund = row.order.deposit - stored.charged;
        emit Closed(leaseId, stored.charged, refund);
        if (refund != 0) _push(row.order.renter, refund);
    }

    /// @dev The last second of the time that operators have after a lease stopped or ended.
    function _windowEnd(Order calldata order, Stored memory stored) private pure returns (uint256) {
        uint256 end = uint256(stored.openedAt) + order.maxSeconds;
        if (stored.stopAt != 0 && stored.stopAt < end) end = stored.stopAt;
        return end + order.closeWindow;
    }
}
