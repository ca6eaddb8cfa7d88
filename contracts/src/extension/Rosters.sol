// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LeaseHash} from "../libraries/LeaseHash.sol";
import {Paying} from "../escrow/Paying.sol";

/// @title The roster of a lease that is changed: read from a row, or made when it is the first change
abstract contract Rosters is Paying {
    /// @param row known to be the lease's
    function _rosterOf(Settlement calldata row, Found memory found) internal pure returns (Roster memory) {
        if (found.lease.changed) return row.roster[0];
        uint256 count = row.members.length;
        // forge-lint: disable-next-line(unsafe-typecast)
        uint32 opened = uint32(count);
        return
            Roster(opened, row.order.maxSeconds, row.order.deposit, new uint40[](count), new uint40[](count));
    }

    /// @param membersHash of all members of the roster
    function _storeRoster(Found memory found, Roster memory roster, bytes32 membersHash) internal {
        found.lease.changed = true;
        _leases[found.leaseId] = found.lease;
        _rosterHash[found.leaseId] = LeaseHash.hashRoster(
            roster.opened,
            roster.maxSeconds,
            roster.deposit,
            keccak256(abi.encodePacked(roster.from)),
            keccak256(abi.encodePacked(roster.until)),
            membersHash
        );
    }
}
