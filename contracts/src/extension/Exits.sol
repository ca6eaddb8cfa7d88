// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ILeaseExtension} from "../interfaces/ILeaseExtension.sol";
import {LeaseHash} from "../libraries/LeaseHash.sol";
import {Words} from "../libraries/Words.sol";
import {Rosters} from "./Rosters.sol";
import {ThroughEscrow} from "./ThroughEscrow.sol";

/// @title Ways out that need nobody else: stopping, leaving, withdrawing
abstract contract Exits is ILeaseExtension, Rosters, ThroughEscrow {
    using SafeERC20 for IERC20;
    using Words for *;

    /// @inheritdoc ILeaseExtension
    function stop(Order calldata order, bytes32 membersHash) external throughEscrow nonReentrant {
        address caller = msg.sender;
        if (caller != order.renter && caller != order.meterKey && caller != order.session) {
            revert MayNotStop(caller);
        }
        _stop(_leaseId(order, membersHash));
    }

    /// @inheritdoc ILeaseExtension
    function stopFor(Order calldata order, bytes32 membersHash, uint40 deadline, bytes calldata signature)
        external
        throughEscrow
        nonReentrant
    {
        if (block.timestamp > deadline) revert SignatureExpired(deadline);
        bytes32 leaseId = _leaseId(order, membersHash);
        bytes32 digest = _hashTypedDataV4(LeaseHash.hashStop(leaseId, deadline));
        bool allowed = _signedByKey(digest, signature, order.meterKey)
            || (order.session != address(0) && _signedByKey(digest, signature, order.session))
            || _signedByWallet(digest, signature, order.renter);
        if (!allowed) revert BadSignature(order.renter);
        _stop(leaseId);
    }

    /// @inheritdoc ILeaseExtension
    function leave(Leaving[] calldata rows) external throughEscrow nonReentrant returns (uint256 left) {
        for (uint256 i; i < rows.length; ++i) {
            if (_leave(rows[i])) ++left;
        }
    }

    /// @inheritdoc ILeaseExtension
    function withdrawFor(address owner, address to, uint256 amount, uint40 deadline, bytes calldata signature)
        external
        throughEscrow
        nonReentrant
    {
        if (block.timestamp > deadline) revert SignatureExpired(deadline);
        if (to == address(this)) revert OrderOutOfRange("to");
        bytes32 structHash = LeaseHash.hashWithdraw(owner, to, amount, _useNonce(owner), deadline);
        if (!_signedByWallet(_hashTypedDataV4(structHash), signature, owner)) revert BadSignature(owner);
        _debit(owner, amount);
        emit Withdrawn(owner, amount);
        token.safeTransfer(to, amount);
    }

    /// @inheritdoc ILeaseExtension
    function sweep(address[] calldata owners) external throughEscrow nonReentrant {
        for (uint256 i; i < owners.length; ++i) {
            address owner = owners[i];
            uint256 amount = _balanceOf(owner);
            if (amount == 0 || (_isKept(owner) && owner != msg.sender)) continue;
            _debit(owner, amount);
            if (token.trySafeTransfer(owner, amount)) emit Withdrawn(owner, amount);
            else _credit(owner, amount);
        }
    }

    function _stop(bytes32 leaseId) private {
        Lease storage lease_ = _leases[leaseId];
        if (lease_.state != State.ACTIVE) revert NotActive(leaseId);
        if (lease_.stopAt != 0) revert AlreadyStopping(leaseId, lease_.stopAt);
        // forge-lint: disable-next-line(unsafe-typecast)
        uint40 stopAt = uint40(block.timestamp);
        lease_.stopAt = stopAt;
        emit Stopping(leaseId, stopAt);
    }

    function _leave(Leaving calldata row) private returns (bool) {
        Settlement calldata settlement = row.settlement;
        (bool known, Found memory found) = _find(settlement);
        uint256 i = row.member;
        if (!known || i >= settlement.members.length) return false;
        Roster memory roster = _rosterOf(settlement, found);
        if (roster.until[i] == _LEFT) return false;
        (bool valid,, uint96[] memory proven) = _provenUnits(settlement, found);
        uint96[] memory units = found.paid.duplicate();
        if (!valid || row.claimed > proven[i]) return false;
        bytes32 digest = _hashTypedDataV4(LeaseHash.hashClose(found.leaseId, i, row.claimed));
        Member calldata member = settlement.members[i];
        if (!_signedByKey(digest, row.r, row.vs, member.agentKey)) return false;

        if (row.claimed > units[i]) units[i] = row.claimed;
        if (_pay(settlement, found, units)) _record(found, units);
        _freeDevices(member);
        roster.until[i] = uint40(_LEFT);
        _storeRoster(found, roster, LeaseHash.hashMembers(settlement.members));
        emit Changed(found.leaseId, roster, new Member[](0));
        return true;
    }
}
