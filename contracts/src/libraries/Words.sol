// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../interfaces/ILeaseTypes.sol";

/// @title Elements of arrays, read and written as bare words
/// @notice For loops that run to the array's own length, or to a length that was compared with it: there is no second
/// check of bounds here, and none of widths. Worth 1,500 gas for each member of a settlement.
/// @dev A word read from calldata may be wider than its type. Callers compare it or hash it before they store it.
library Words {
    function word(uint96[] calldata array, uint256 i) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := calldataload(add(array.offset, shl(5, i)))
        }
    }

    function word(uint40[] calldata array, uint256 i) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := calldataload(add(array.offset, shl(5, i)))
        }
    }

    function word(bytes32[] calldata array, uint256 i) internal pure returns (bytes32 value) {
        assembly ("memory-safe") {
            value := calldataload(add(array.offset, shl(5, i)))
        }
    }

    /// @notice The member itself; reading one of its fields checks that field's width.
    function at(ILeaseTypes.Member[] calldata members, uint256 i)
        internal
        pure
        returns (ILeaseTypes.Member calldata member)
    {
        assembly ("memory-safe") {
            member := add(members.offset, mul(i, 0xa0)) // 5 fields
        }
    }

    function at(ILeaseTypes.MatchedAsk[] calldata asks, uint256 i)
        internal
        pure
        returns (ILeaseTypes.MatchedAsk calldata ask)
    {
        assembly ("memory-safe") {
            ask := add(asks.offset, mul(i, 0x1e0)) // 15 fields
        }
    }

    /// @notice `Roster.opened` as a bare word: it is read before it is known to be the lease's.
    function openedCount(ILeaseTypes.Roster calldata roster) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := calldataload(roster)
        }
    }

    function get(uint96[] memory array, uint256 i) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := mload(add(add(array, 0x20), shl(5, i)))
        }
    }

    /// @param value fits uint96
    function set(uint96[] memory array, uint256 i, uint256 value) internal pure {
        assembly ("memory-safe") {
            mstore(add(add(array, 0x20), shl(5, i)), value)
        }
    }

    /// @notice A copy with `count` elements, zeros behind those of `array`.
    /// @param array of `count` clean words at most
    function copyPadded(uint96[] calldata array, uint256 count) internal pure returns (uint96[] memory copy) {
        assembly ("memory-safe") {
            copy := mload(0x40)
            let length := shl(5, count)
            mstore(0x40, add(add(copy, 0x20), length))
            mstore(copy, count)
            let known := shl(5, array.length)
            calldatacopy(add(copy, 0x20), array.offset, known)
            // Behind the end of calldata there are only zeros.
            calldatacopy(add(add(copy, 0x20), known), calldatasize(), sub(length, known))
        }
    }

    function duplicate(uint96[] memory array) internal pure returns (uint96[] memory copied) {
        assembly ("memory-safe") {
            copied := mload(0x40)
            let size := add(0x20, shl(5, mload(array)))
            mstore(0x40, add(copied, size))
            mcopy(copied, array, size)
        }
    }
}
