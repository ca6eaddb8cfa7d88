// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../src/interfaces/ILeaseTypes.sol";
import {EscrowFixture} from "./EscrowFixture.sol";

/// @notice Makers of order sets and of proofs that an order is in one.
abstract contract SetFixture is EscrowFixture {
    uint96 internal constant FUNDS = 1000e6;
    uint256 private _setSalt;

    /// @dev A set of exactly these deals, which all of them may be opened from.
    function setOf(Deal[] memory deals) internal returns (ILeaseTypes.OrderSet memory set) {
        for (uint256 i; i < deals.length; ++i) {
            set.totalDeposit += deals[i].order.deposit;
        }
        set.renter = renter;
        set.root = rootOf(deals);
        set.count = uint32(deals.length);
        set.openBy = uint40(block.timestamp + 1 hours);
        set.salt = ++_setSalt;
    }

    function dealsOf(uint256 count) internal returns (Deal[] memory deals) {
        deals = new Deal[](count);
        for (uint256 i; i < count; ++i) {
            deals[i] = dealOf(1 + i % 2);
        }
    }

    function rootOf(Deal[] memory deals) internal pure returns (bytes32) {
        bytes32[] memory level = _leaves(deals);
        while (level.length > 1) {
            level = _parents(level);
        }
        return level[0];
    }

    function proofOf(Deal[] memory deals, uint256 at) internal pure returns (bytes32[] memory proof) {
        bytes32[] memory level = _leaves(deals);
        bytes32[] memory found = new bytes32[](256);
        uint256 depth;
        while (level.length > 1) {
            uint256 sibling = at ^ 1;
            if (sibling < level.length) found[depth++] = level[sibling];
            (level, at) = (_parents(level), at / 2);
        }
        proof = new bytes32[](depth);
        for (uint256 i; i < depth; ++i) {
            proof[i] = found[i];
        }
    }

    function _leaves(Deal[] memory deals) private pure returns (bytes32[] memory level) {
        level = new bytes32[](deals.length);
        for (uint256 i; i < deals.length; ++i) {
            level[i] = deals[i].leaseId;
        }
    }

    /// @dev Pairs are hashed in order of size; one without a sibling moves up as it is.
    function _parents(bytes32[] memory level) private pure returns (bytes32[] memory parents) {
        parents = new bytes32[]((level.length + 1) / 2);
        for (uint256 i; i < parents.length; ++i) {
            bytes32 left = level[2 * i];
            if (2 * i + 1 == level.length) {
                parents[i] = left;
                continue;
            }
            bytes32 right = level[2 * i + 1];
            parents[i] = left < right
                ? keccak256(abi.encodePacked(left, right))
                : keccak256(abi.encodePacked(right, left));
        }
    }
}
