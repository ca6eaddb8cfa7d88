// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {ILeaseCore} from "../interfaces/ILeaseCore.sol";
import {LeaseHash} from "../libraries/LeaseHash.sol";
import {Words} from "../libraries/Words.sol";
import {Paying} from "./Paying.sol";

/// @title Paying what vouchers prove, and ending leases
/// @dev Batches: a row that is wrong is skipped, so that nobody can spoil the rows of others.
abstract contract Settling is ILeaseCore, Paying {
    using Words for *;

    /// @inheritdoc ILeaseCore
    function checkpoint(Settlement[] calldata rows) external nonReentrant returns (uint256 applied) {
        for (uint256 i; i < rows.length; ++i) {
            if (_checkpoint(rows[i])) ++applied;
        }
    }

    /// @inheritdoc ILeaseCore
    function close(Closing[] calldata rows) external nonReentrant returns (uint256 closed) {
        for (uint256 i; i < rows.length; ++i) {
            if (_close(rows[i])) ++closed;
        }
    }

    /// @inheritdoc ILeaseCore
    function finalize(Settlement[] calldata rows) external nonReentrant returns (uint256 closed) {
        for (uint256 i; i < rows.length; ++i) {
            if (_finalize(rows[i])) ++closed;
        }
    }

    function _checkpoint(Settlement calldata row) private returns (bool) {
        (bool known, Found memory found) = _find(row);
        if (!known) return false;
        (bool valid, bool rises, uint96[] memory units) = _provenUnits(row, found);
        if (!valid || !rises) return false;
        _pay(row, found, units);
        _record(found, units);
        _leases[found.leaseId] = found.lease;
        return true;
    }

    function _close(Closing calldata row) private returns (bool) {
        (bool known, Found memory found) = _find(row.settlement);
        if (!known) return false;
        (bool valid,, uint96[] memory units) = _provenUnits(row.settlement, found);
        if (!valid || !_lowerToClaims(row, found, units)) return false;
        _pay(row.settlement, found, units);
        _end(row.settlement, found);
        return true;
    }

    function _finalize(Settlement calldata row) private returns (bool) {
        (bool known, Found memory found) = _find(row);
        if (!known || block.timestamp <= _windowEnd(row, found.lease)) return false;
        (bool valid,, uint96[] memory units) = _provenUnits(row, found);
        if (!valid) return false;
        _pay(row, found, units);
        _end(row, found);
        return true;
    }

    /// @dev Lowers `units` to the claims, if every agent signed its own and none is above what is proven. What was paid
    /// beyond a claim stays paid: vouchers run ahead of delivery, and whoever posts one first must not spoil the closing.
    /// A member that left has signed before.
    function _lowerToClaims(Closing calldata row, Found memory found, uint96[] memory units)
        private
        pure
        returns (bool)
    {
        Member[] calldata members = row.settlement.members;
        uint96[] calldata claims = row.claimed;
        bytes32[] calldata r = row.r;
        bytes32[] calldata vs = row.vs;
        if (claims.length != members.length || r.length != members.length || vs.length != members.length) {
            return false;
        }
        for (uint256 i; i < members.length; ++i) {
            uint256 claimed = claims.word(i);
            if (claimed > units.get(i)) return false;
            uint256 paid = found.paid.get(i);
            units.set(i, claimed > paid ? claimed : paid);
            if (found.lease.changed && row.settlement.roster[0].until[i] == _LEFT) continue;
            bytes32 digest = MessageHashUtils.toTypedDataHash(
                found.domainSeparator, LeaseHash.hashClose(found.leaseId, i, claimed)
            );
            if (!_signedByKey(digest, r.word(i), vs.word(i), members.at(i).agentKey)) return false;
        }
        return true;
    }

    /// @dev Ends a lease: devices are free again and the renter gets back what was not charged.
    function _end(Settlement calldata row, Found memory found) private {
        bytes32 leaseId = found.leaseId;
        bool isChanged = found.lease.changed;
        if (found.lease.checkpointedAt != 0) delete _paidUnitsHash[leaseId];
        if (isChanged) delete _rosterHash[leaseId];
        found.lease.state = State.CLOSED;
        _leases[leaseId] = found.lease;
        Member[] calldata members = row.members;
        for (uint256 i; i < members.length; ++i) {
            if (!isChanged || row.roster[0].until[i] != _LEFT) _freeDevices(members.at(i));
        }
        uint256 refund = (isChanged ? row.roster[0].deposit : row.order.deposit) - found.lease.charged;
        emit Closed(leaseId, found.lease.charged, refund);
        _refund(row.order, refund);
    }

    /// @dev The last second of the time that operators have after a lease stopped or ended.
    function _windowEnd(Settlement calldata row, Lease memory lease) private pure returns (uint256) {
        uint256 end =
            uint256(lease.openedAt) + (lease.changed ? row.roster[0].maxSeconds : row.order.maxSeconds);
        if (lease.stopAt != 0 && lease.stopAt < end) end = lease.stopAt;
        return end + row.order.closeWindow;
    }
}
