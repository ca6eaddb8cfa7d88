// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {ILeaseEscrow} from "../interfaces/ILeaseEscrow.sol";
import {LeaseHash} from "../libraries/LeaseHash.sol";

/// @title The stored state of leases, their digests, and stopping them
abstract contract Leases is ILeaseEscrow, EIP712, ReentrancyGuardTransient {
    /// @dev One word. `checkpointed` spares leases that never were the reading of `_paidUnitsHash`.
    struct Stored {
        State state;
        bool checkpointed;
        uint40 openedAt;
        uint40 stopAt;
        uint16 feeBps;
        uint96 charged;
    }

    mapping(bytes32 leaseId => Stored) internal _leases;
    mapping(bytes32 leaseId => bytes32) internal _paidUnitsHash;
    /// @dev Devices in open leases, plus one once it was ever used, so that the word never returns to zero.
    mapping(address agentKey => uint256) internal _devicesInUsePlusOne;

    constructor() EIP712("Latent LeaseEscrow", "1") {}

    /// @inheritdoc ILeaseEscrow
    function stop(Order calldata order, Member[] calldata members) external nonReentrant {
        bytes32 leaseId = hashOrder(order, members);
        Stored storage stored = _leases[leaseId];
        if (stored.state != State.ACTIVE) revert NotActive(leaseId);
        if (msg.sender != order.renter && msg.sender != order.meterKey) revert MayNotStop(msg.sender);
        if (stored.stopAt != 0) revert AlreadyStopping(leaseId, stored.stopAt);
        // forge-lint: disable-next-line(unsafe-typecast)
        uint40 stopAt = uint40(block.timestamp);
        stored.stopAt = stopAt;
        emit Stopping(leaseId, stopAt);
    }

    /// @inheritdoc ILeaseEscrow
    function lease(bytes32 leaseId) external view nonReentrantView returns (Lease memory) {
        Stored memory stored = _leases[leaseId];
        return Lease(stored.state, stored.openedAt, stored.stopAt, stored.feeBps, stored.charged);
    }

    /// @inheritdoc ILeaseEscrow
    function paidUnitsHash(bytes32 leaseId) external view nonReentrantView returns (bytes32) {
        return _paidUnitsHash[leaseId];
    }

    /// @inheritdoc ILeaseEscrow
    function devicesInUse(address agentKey) external view nonReentrantView returns (uint256) {
        uint256 biased = _devicesInUsePlusOne[agentKey];
        return biased == 0 ? 0 : biased - 1;
    }

    /// @inheritdoc ILeaseEscrow
    function hashAsk(Ask calldata ask) external view returns (bytes32) {
        return _hashTypedDataV4(LeaseHash.hashAsk(ask));
    }

    /// @inheritdoc ILeaseEscrow
    function hashOrder(Order calldata order, Member[] calldata members) public view returns (bytes32) {
        return _hashTypedDataV4(LeaseHash.hashOrder(order, LeaseHash.hashMembers(members)));
    }

    /// @inheritdoc ILeaseEscrow
    function hashVoucher(bytes32 leaseId, uint96[] calldata units, uint40[] calldata accrueFrom)
        external
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(LeaseHash.hashVoucher(leaseId, units, accrueFrom));
    }

    /// @inheritdoc ILeaseEscrow
    function hashClose(bytes32 leaseId, uint96 units) external view returns (bytes32) {
        return _hashTypedDataV4(LeaseHash.hashClose(leaseId, units));
    }

    /// @dev Plain keys only: what an ERC-1271 wallet says can change after the service was delivered.
    function _signedByKey(bytes32 digest, bytes32 r, bytes32 vs, address key) internal pure returns (bool) {
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecover(digest, r, vs);
        return failure == ECDSA.RecoverError.NoError && signer == key;
    }
}
