// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Words} from "../../src/libraries/Words.sol";
import {Test} from "../Test.sol";

/// @notice Copies that are made in assembly, against loops.
contract WordsTest is Test {
    using Words for *;

    /// @dev Memory that is not clean, and calldata behind the array that is not either.
    function testFuzz_copyPadded_copies_and_fills_with_zeros(
        uint96[] calldata array,
        uint8 more,
        uint256[] calldata behind
    ) public pure {
        _soil(64);
        uint256 count = array.length + more;
        uint96[] memory copy = array.copyPadded(count);
        uint256[] memory next = new uint256[](1);
        next[0] = type(uint256).max;
        vm.assertEq(copy.length, count, "length");
        for (uint256 i; i < count; ++i) {
            vm.assertEq(copy.get(i), i < array.length ? array[i] : 0, "element");
        }
        vm.assertEq(behind.length, behind.length, "calldata behind it");
    }

    function testFuzz_duplicate_is_equal_and_apart(uint96[] memory array, uint96 value) public pure {
        _soil(64);
        uint96[] memory copy = array.duplicate();
        vm.assertEq(keccak256(abi.encode(copy)), keccak256(abi.encode(array)), "equal");
        if (array.length == 0) return;
        uint256 before = array.get(0);
        copy.set(0, value);
        vm.assertEq(copy[0], value, "set");
        vm.assertEq(array[0], before, "apart");
    }

    function testFuzz_words_are_the_elements(uint96[] calldata a, uint40[] calldata b, bytes32[] calldata c)
        public
        pure
    {
        for (uint256 i; i < a.length; ++i) {
            vm.assertEq(a.word(i), a[i], "uint96");
        }
        for (uint256 i; i < b.length; ++i) {
            vm.assertEq(b.word(i), b[i], "uint40");
        }
        for (uint256 i; i < c.length; ++i) {
            vm.assertEq(c.word(i), c[i], "bytes32");
        }
    }

    /// @dev Fills memory behind the free pointer with ones.
    function _soil(uint256 words) private pure {
        assembly ("memory-safe") {
            let free := mload(0x40)
            for { let i := 0 } lt(i, words) { i := add(i, 1) } {
                mstore(add(free, shl(5, i)), not(0))
            }
        }
    }
}
