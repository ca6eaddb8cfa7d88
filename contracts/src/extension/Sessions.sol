// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ILeaseExtension} from "../interfaces/ILeaseExtension.sol";
import {LeaseHash} from "../libraries/LeaseHash.sol";
import {Balances} from "../escrow/Balances.sol";
import {ThroughEscrow} from "./ThroughEscrow.sol";

/// @title Keys that open leases from a renter's balance, within limits that the renter signed once
abstract contract Sessions is ILeaseExtension, Balances, ThroughEscrow {
    /// @inheritdoc ILeaseExtension
    function grantSession(SessionGrant calldata grant, bytes calldata signature)
        external
        throughEscrow
        nonReentrant
    {
        if (msg.sender != grant.renter) {
            bytes32 digest = _hashTypedDataV4(LeaseHash.hashSessionGrant(grant));
            if (!_signedByWallet(digest, signature, grant.renter)) revert BadSignature(grant.renter);
        }
        _grant(grant);
    }

    /// @inheritdoc ILeaseExtension
    function grantSessionWithAuthorization(
        SessionGrant calldata grant,
        uint256 amount,
        uint256 validAfter,
        uint256 validBefore,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external throughEscrow nonReentrant {
        bytes32 digest = _hashTypedDataV4(LeaseHash.hashSessionGrant(grant));
        _grant(grant);
        _keep(grant.renter, SafeCast.toUint128(amount));
        _pullAuthorized(grant.renter, amount, digest, Authorization(validAfter, validBefore, v, r, s));
    }

    /// @inheritdoc ILeaseExtension
    function revokeSession(address key) external throughEscrow nonReentrant {
        // A grant that was signed and not brought yet must not undo this.
        _useNonce(msg.sender);
        _sessions[msg.sender][key].validUntil = 0;
        emit SessionRevoked(msg.sender, key);
    }

    /// @dev What the key has spent stays counted: a new grant raises or lowers its limits, and begins nothing anew.
    function _grant(SessionGrant calldata grant) private {
        if (grant.key == address(0)) revert OrderOutOfRange("session");
        _useCheckedNonce(grant.renter, grant.nonce);
        Session storage session_ = _sessions[grant.renter][grant.key];
        session_.spendLimit = grant.spendLimit;
        session_.validUntil = grant.validUntil;
        session_.maxRate = grant.maxRate;
        session_.maxDevices = grant.maxDevices;
        emit SessionGranted(grant.renter, grant.key, grant);
    }
}
