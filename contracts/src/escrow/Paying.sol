// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {LeaseHash} from "../libraries/LeaseHash.sol";
import {Metering} from "../libraries/Metering.sol";
import {Words} from "../libraries/Words.sol";
import {Balances} from "./Balances.sol";

/// @title Finding the lease that a row is about, what its voucher proves, and paying it
abstract contract Paying is Balances {
    using Words for *;

    /// @dev An open lease as a row presents it, and what each member was paid for so far.
    struct Found {
        bytes32 domainSeparator; // asked for once
        bytes32 leaseId;
        Lease lease;
        uint96[] paid;
    }

    /// @dev The lease that a row is about, if it is open and the row knows its roster and what was paid so far.
    function _find(Settlement calldata row) internal view returns (bool known, Found memory found) {
        Member[] calldata members = row.members;
        bool isChanged = row.roster.length != 0;
        bytes32 membersHash;
        if (isChanged) {
            uint256 opened = row.roster[0].openedCount();
            if (opened > members.length) return (false, found);
            membersHash = LeaseHash.hashMembers(members[:opened]);
        } else {
            membersHash = LeaseHash.hashMembers(members);
        }
        found.domainSeparator = _domainSeparatorV4();
        found.leaseId = MessageHashUtils.toTypedDataHash(
            found.domainSeparator, LeaseHash.hashOrder(row.order, membersHash)
        );
        found.lease = _leases[found.leaseId];
        if (found.lease.state != State.ACTIVE || found.lease.changed != isChanged) return (false, found);
        if (isChanged) {
            if (row.roster.length != 1) return (false, found);
            if (LeaseHash.hashRoster(row.roster[0], members) != _rosterHash[found.leaseId]) {
                return (false, found);
            }
        }
        return (_findPaid(row, found), found);
    }

    /// @dev Fills `found.paid`, if the row knows it, or knows what it was before its own voucher was posted.
    function _findPaid(Settlement calldata row, Found memory found) private view returns (bool) {
        uint96[] calldata recorded = row.paidUnits;
        uint256 count = row.members.length;
        // Fewer than members where some were added since.
        if (recorded.length > count) return false;
        found.paid = recorded.copyPadded(count);
        uint256 checkpointedAt = found.lease.checkpointedAt;
        if (checkpointedAt == 0) return recorded.length == 0;
        bytes32 hash = _paidUnitsHash[found.leaseId];
        if (LeaseHash.hashUnitsCalldata(recorded) == hash) return true;
        if (!_fits(row.voucher, count)) return false;
        _raise(row, found, checkpointedAt, found.paid);
        return LeaseHash.hashUnits(found.paid) == hash;
    }

    /// @dev What each member has been paid for, raised to what the voucher and the clock allow now. A member whose
    /// clock was set back keeps what it has. The signature is looked at only where it would raise something.
    function _provenUnits(Settlement calldata row, Found memory found)
        internal
        view
        returns (bool valid, bool rises, uint96[] memory units)
    {
        uint256 count = row.members.length;
        uint96[] calldata vouched = row.voucher.units;
        uint40[] calldata accrueFrom = row.voucher.accrueFrom;
        units = found.paid.duplicate();
        if (vouched.length == 0 && accrueFrom.length == 0) return (true, false, units);
        if (!_fits(row.voucher, count)) return (false, false, units);
        rises = _raise(row, found, block.timestamp, units);
        valid = !rises || _signedByMeter(row, found);
    }

    /// @dev A voucher from before members were added is as good as it was, and proves nothing for them: else a renter could
    /// void what it signed by adding a member.
    function _fits(Voucher calldata voucher, uint256 count) private pure returns (bool) {
        return voucher.units.length <= count && voucher.accrueFrom.length == voucher.units.length;
    }

    /// @dev Raises `units` to what the row's voucher proves at a time.
    function _raise(Settlement calldata row, Found memory found, uint256 timestamp, uint96[] memory units)
        private
        pure
        returns (bool rises)
    {
        uint256 openedAt = found.lease.openedAt;
        bool isChanged = found.lease.changed;
        uint256 until = Metering.payableUntil(
            timestamp,
            openedAt,
            found.lease.stopAt,
            isChanged ? row.roster[0].maxSeconds : row.order.maxSeconds,
            row.order.prepay
        );
        uint96[] calldata vouched = row.voucher.units;
        uint40[] calldata accrueFrom = row.voucher.accrueFrom;
        for (uint256 i; i < vouched.length; ++i) {
            (uint256 from, uint256 memberUntil) = (openedAt, until);
            if (isChanged) (from, memberUntil) = _clockOf(row.roster[0], i, from, until);
            uint256 payableNow = Metering.payableUnits(
                vouched.word(i), row.members.at(i).devices, from, accrueFrom.word(i), memberUntil
            );
            if (payableNow <= units.get(i)) continue;
            units.set(i, payableNow);
            rises = true;
        }
    }

    /// @dev A member's own clock within the lease's. One that left ends in 1970: nothing can be added to it.
    function _clockOf(Roster calldata roster, uint256 i, uint256 openedAt, uint256 until)
        internal
        pure
        returns (uint256, uint256)
    {
        (uint256 from, uint256 memberUntil) = (roster.from[i], roster.until[i]);
        if (from < openedAt) from = openedAt;
        if (memberUntil == 0 || memberUntil > until) memberUntil = until;
        return (from, memberUntil);
    }

    function _signedByMeter(Settlement calldata row, Found memory found) private pure returns (bool) {
        Voucher calldata voucher = row.voucher;
        bytes32 digest = MessageHashUtils.toTypedDataHash(
            found.domainSeparator, LeaseHash.hashVoucher(found.leaseId, voucher.units, voucher.accrueFrom)
        );
        return _signedByKey(digest, voucher.r, voucher.vs, row.order.meterKey);
    }

    /// @dev Credits what `units` add to what was paid before, and raises `found.lease.charged` (in memory only).
    function _pay(Settlement calldata row, Found memory found, uint96[] memory units)
        internal
        returns (bool changed)
    {
        Member[] calldata members = row.members;
        uint256 leaseFeeBps = found.lease.feeBps;
        uint256 charged;
        uint256 fees;
        for (uint256 i; i < members.length; ++i) {
            (uint256 unitsBefore, uint256 unitsAfter) = (found.paid.get(i), units.get(i));
            if (unitsBefore == unitsAfter) continue;
            changed = true;
            Member calldata member = members.at(i);
            uint256 before = Metering.chargeDown(unitsBefore, member.rate);
            uint256 afterwards = Metering.chargeDown(unitsAfter, member.rate);
            // Safe: both grow with units, the fee is part of the charge, and all charges together are never more
            // than the deposit.
            unchecked {
                uint256 fee =
                    Metering.feeDown(afterwards, leaseFeeBps) - Metering.feeDown(before, leaseFeeBps);
                charged += afterwards - before;
                fees += fee;
                _credit(member.operator, afterwards - before - fee);
            }
        }
        if (!changed) return false;
        if (fees != 0) _credit(treasury, fees);
        // Safe: all charges together are never more than the deposit, which is uint96.
        // forge-lint: disable-next-line(unsafe-typecast)
        found.lease.charged += uint96(charged);
        emit Paid(found.leaseId, units, found.lease.charged);
    }

    /// @dev Stores what was paid while the lease runs.
    function _record(Found memory found, uint96[] memory units) internal {
        // forge-lint: disable-next-line(unsafe-typecast)
        found.lease.checkpointedAt = uint40(block.timestamp);
        _paidUnitsHash[found.leaseId] = LeaseHash.hashUnits(units);
    }

    function _freeDevices(Member calldata member) internal {
        _devicesInUsePlusOne[member.agentKey] -= member.devices;
    }

    /// @dev Gives back what a lease does not need: to the balance that a session took it from, or to the renter. Its event
    /// is the caller's (`Closed`, `Changed`).
    function _refund(Order calldata order, uint256 amount) internal {
        if (amount == 0) return;
        if (order.session == address(0)) return _push(order.renter, amount);
        Session storage session_ = _sessions[order.renter][order.session];
        uint256 spent = session_.spent;
        // A session has spent at least the deposits of its leases: below zero is not reached. If it were, nobody's exit
        // may fail for it.
        // forge-lint: disable-next-line(unsafe-typecast)
        session_.spent = uint96(spent > amount ? spent - amount : 0);
        _credit(order.renter, amount);
    }
}
