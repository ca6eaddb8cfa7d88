// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseExtension} from "../interfaces/ILeaseExtension.sol";
import {Balances} from "../escrow/Balances.sol";
import {ThroughEscrow} from "./ThroughEscrow.sol";

/// @title What the escrow holds
abstract contract Views is ILeaseExtension, Balances, ThroughEscrow {
    /// @inheritdoc ILeaseExtension
    function terms() external view returns (Terms memory) {
        return Terms(address(token), address(operators), treasury, feeBps, address(permit2));
    }

    /// @inheritdoc ILeaseExtension
    function balanceOf(address owner) external view throughEscrow nonReentrantView returns (uint256) {
        return _balanceOf(owner);
    }

    /// @inheritdoc ILeaseExtension
    function lease(bytes32 leaseId) external view throughEscrow nonReentrantView returns (Lease memory) {
        return _leases[leaseId];
    }

    /// @inheritdoc ILeaseExtension
    function paidUnitsHash(bytes32 leaseId) external view throughEscrow nonReentrantView returns (bytes32) {
        return _paidUnitsHash[leaseId];
    }

    /// @inheritdoc ILeaseExtension
    function rosterHash(bytes32 leaseId) external view throughEscrow nonReentrantView returns (bytes32) {
        return _rosterHash[leaseId];
    }

    /// @inheritdoc ILeaseExtension
    function devicesInUse(address agentKey) external view throughEscrow nonReentrantView returns (uint256) {
        uint256 biased = _devicesInUsePlusOne[agentKey];
        return biased == 0 ? 0 : biased - 1;
    }

    /// @inheritdoc ILeaseExtension
    function session(address renter, address key)
        external
        view
        throughEscrow
        nonReentrantView
        returns (Session memory)
    {
        return _sessions[renter][key];
    }

    /// @inheritdoc ILeaseExtension
    function setUse(bytes32 set) external view throughEscrow nonReentrantView returns (SetUse memory) {
        return _setUses[set];
    }
}
