// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../interfaces/ILeaseTypes.sol";

/// @title The members of a lease, laid out in memory as the event `Opened` carries them
/// @dev Members are written once, hashed where they lie and logged where they lie. `emit Opened(…)` would encode them
/// all again: 1,000 gas for each.
library OpenedLog {
    /// @dev 11 fields of the order, then offset and length of the members.
    uint256 private constant _HEAD = 0x1a0;
    uint256 private constant _MEMBER = 0xa0;

    /// @notice Reserves the memory of the event's data.
    /// @return members where the members begin; `count` of them, one after the other
    function reserve(uint256 count) internal pure returns (uint256 members) {
        assembly ("memory-safe") {
            members := add(mload(0x40), _HEAD)
            mstore(0x40, add(members, mul(count, _MEMBER)))
        }
    }

    /// @notice The place of member `i` < `count`, to be written by the caller.
    function at(uint256 members, uint256 i) internal pure returns (ILeaseTypes.Member memory member) {
        assembly ("memory-safe") {
            member := add(members, mul(i, _MEMBER))
        }
    }

    /// @notice Emits `ILeaseTypes.Opened`.
    function emitOpened(bytes32 leaseId, ILeaseTypes.Order calldata order, uint256 members, uint256 count)
        internal
    {
        bytes32 topic = ILeaseTypes.Opened.selector;
        address renter = order.renter;
        assembly ("memory-safe") {
            let data := sub(members, _HEAD)
            calldatacopy(data, order, 0x160)
            mstore(add(data, 0x160), 0x180)
            mstore(add(data, 0x180), count)
            log3(data, add(_HEAD, mul(count, _MEMBER)), topic, leaseId, renter)
        }
    }
}
