// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {ILeaseExtension} from "../interfaces/ILeaseExtension.sol";
import {LeaseHash} from "../libraries/LeaseHash.sol";
import {Taking} from "../escrow/Taking.sol";
import {ThroughEscrow} from "./ThroughEscrow.sol";

/// @title Opening one of many orders under one signature
abstract contract OrderSets is ILeaseExtension, Taking, ThroughEscrow {
    /// @inheritdoc ILeaseExtension
    function openFromSet(
        Order calldata order,
        MatchedAsk[] calldata asks,
        OrderSet calldata set,
        bytes32[] calldata proof,
        bytes calldata signature
    ) external throughEscrow nonReentrant returns (bytes32 leaseId) {
        _requireNoSession(order);
        (leaseId,) = _open(order, asks);
        bytes32 digest = _hashTypedDataV4(LeaseHash.hashOrderSet(set));
        SetUse memory used = _setUses[digest];
        if (set.renter != order.renter || !MerkleProof.verifyCalldata(proof, set.root, leaseId)) {
            revert NotInSet(digest, leaseId);
        }
        if (block.timestamp > set.openBy) revert OrderExpired(set.openBy);
        if (used.opened >= set.count) revert SetExhausted(digest, "count", set.count);
        if (uint256(used.deposited) + order.deposit > set.totalDeposit) {
            revert SetExhausted(digest, "totalDeposit", set.totalDeposit);
        }
        bool consents =
            used.funded || msg.sender == set.renter || _signedByWallet(digest, signature, set.renter);
        if (!consents) revert BadOrderSignature(set.renter);
        ++used.opened;
        used.deposited += order.deposit;
        _setUses[digest] = used;
        _debit(order.renter, order.deposit);
    }

    /// @inheritdoc ILeaseExtension
    function fundSet(
        OrderSet calldata set,
        uint256 validAfter,
        uint256 validBefore,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external throughEscrow nonReentrant {
        bytes32 digest = _hashTypedDataV4(LeaseHash.hashOrderSet(set));
        _setUses[digest].funded = true;
        _keep(set.renter, set.totalDeposit);
        emit SetFunded(set.renter, digest, set);
        _pullAuthorized(set.renter, set.totalDeposit, digest, Authorization(validAfter, validBefore, v, r, s));
    }
}
