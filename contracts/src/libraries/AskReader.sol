// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../interfaces/ILeaseTypes.sol";

/// @title Asks, from calldata into memory
/// @dev Does what `Ask memory ask = matched.ask` does, with one comparison for the widths of all fields in place of
/// one for each: 900 gas less for each ask.
library AskReader {
    /// @notice Reads the ask of `matched` into `into`, over what was there.
    /// @dev Reverts without data, as Solidity's decoder does, if a field is wider than its type.
    function read(ILeaseTypes.MatchedAsk calldata matched, ILeaseTypes.Ask memory into) internal pure {
        assembly ("memory-safe") {
            calldatacopy(into, matched, 0x180) // 12 fields
            let excess := or(shr(160, mload(into)), shr(160, mload(add(into, 0x20)))) // operator, agentKey
            excess := or(excess, shr(32, mload(add(into, 0x60)))) // devices
            excess := or(excess, shr(64, mload(add(into, 0x80)))) // rate
            excess := or(excess, shr(40, mload(add(into, 0xa0)))) // maxSeconds
            excess := or(excess, shr(32, mload(add(into, 0xc0)))) // closeWindow
            excess := or(excess, shr(16, mload(add(into, 0xe0)))) // prepay
            excess := or(excess, shr(16, mload(add(into, 0x100)))) // maxFeeBps
            excess := or(excess, shr(40, mload(add(into, 0x120)))) // validUntil
            excess := or(excess, shr(32, mload(add(into, 0x140)))) // epoch
            if excess { revert(0, 0) }
        }
    }
}
