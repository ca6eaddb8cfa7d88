// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../interfaces/ILeaseTypes.sol";

/// @title EIP-712 struct hashes of what the parties to a lease sign
/// @notice Pure. Mirrored in `packages/protocol`; `packages/protocol/vectors/messages.json` is checked here and there.
/// @dev Structs are copied whole in assembly rather than with `abi.encode`: hashing 8 asks, their members and a
/// voucher is then 20,000 gas cheaper. The words are not cleaned on the way. A value wider than its type gives
/// another digest, which is that of no lease and has no signature; fields that act are read by Solidity, which checks
/// their width.
library LeaseHash {
    bytes32 internal constant ASK_TYPEHASH = keccak256(
        "Ask(address operator,address agentKey,bytes32 resource,uint32 devices,uint64 rate,uint40 maxSeconds,uint32 closeWindow,uint16 prepay,uint16 maxFeeBps,uint40 validUntil,uint32 epoch,uint256 salt)"
    );
    bytes32 internal constant MEMBER_TYPEHASH =
        keccak256("Member(bytes32 ask,address operator,address agentKey,uint32 devices,uint64 rate)");
    bytes32 internal constant ORDER_TYPEHASH = keccak256(
        "Order(address renter,address session,address meterKey,Member[] members,uint96 deposit,uint40 maxSeconds,uint32 closeWindow,uint16 prepay,uint16 maxFeeBps,uint40 openBy,bytes32 workload,uint256 salt)Member(bytes32 ask,address operator,address agentKey,uint32 devices,uint64 rate)"
    );
    bytes32 internal constant VOUCHER_TYPEHASH =
        keccak256("Voucher(bytes32 leaseId,uint96[] units,uint40[] accrueFrom)");
    bytes32 internal constant STOP_TYPEHASH = keccak256("Stop(bytes32 leaseId,uint40 deadline)");
    bytes32 internal constant CHANGE_TYPEHASH = keccak256(
        "Change(bytes32 leaseId,bytes32 before,Member[] added,uint256 dismissed,uint40 maxSeconds,uint96 deposit,uint40 changeBy)Member(bytes32 ask,address operator,address agentKey,uint32 devices,uint64 rate)"
    );
    bytes32 internal constant SESSION_TYPEHASH = keccak256(
        "SessionGrant(address renter,address key,uint96 spendLimit,uint64 maxRate,uint32 maxDevices,uint40 validUntil,uint256 nonce)"
    );
    bytes32 internal constant ORDER_SET_TYPEHASH = keccak256(
        "OrderSet(address renter,bytes32 root,uint32 count,uint128 totalDeposit,uint40 openBy,uint256 salt)"
    );
    bytes32 internal constant WITHDRAW_TYPEHASH =
        keccak256("Withdraw(address owner,address to,uint256 amount,uint256 nonce,uint40 deadline)");
    bytes32 internal constant CLOSE_TYPEHASH = keccak256("Close(bytes32 leaseId,uint32 member,uint96 units)");

    function hashAsk(ILeaseTypes.Ask memory ask) internal pure returns (bytes32 hash) {
        bytes32 typehash = ASK_TYPEHASH;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typehash)
            mcopy(add(free, 0x20), ask, 0x180) // 12 fields
            hash := keccak256(free, 0x1a0)
        }
    }

    /// @param membersHash from `hashMembers`, or from `hashMember` of each and `hashWords`
    function hashOrder(ILeaseTypes.Order calldata order, bytes32 membersHash)
        internal
        pure
        returns (bytes32 hash)
    {
        bytes32 typehash = ORDER_TYPEHASH;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typehash)
            calldatacopy(add(free, 0x20), order, 0x60) // renter, session, meterKey
            mstore(add(free, 0x80), membersHash)
            calldatacopy(add(free, 0xa0), add(order, 0x60), 0x100) // deposit to salt
            hash := keccak256(free, 0x1a0)
        }
    }

    function hashMembers(ILeaseTypes.Member[] calldata members) internal pure returns (bytes32 hash) {
        bytes32 typehash = MEMBER_TYPEHASH;
        assembly ("memory-safe") {
            let free := mload(0x40) // one member, then the hashes
            let hashes := add(free, 0xc0)
            let length := shl(5, members.length)
            let member := members.offset
            mstore(free, typehash)
            for { let i := 0 } lt(i, length) { i := add(i, 0x20) } {
                calldatacopy(add(free, 0x20), member, 0xa0) // 5 fields
                mstore(add(hashes, i), keccak256(free, 0xc0))
                member := add(member, 0xa0)
            }
            hash := keccak256(hashes, length)
        }
    }

    /// @param members where `count` members lie in memory, one after the other
    function hashMembers(uint256 members, uint256 count) internal pure returns (bytes32 hash) {
        bytes32 typehash = MEMBER_TYPEHASH;
        assembly ("memory-safe") {
            let free := mload(0x40) // one member, then the hashes
            let hashes := add(free, 0xc0)
            let length := shl(5, count)
            let member := members
            mstore(free, typehash)
            for { let i := 0 } lt(i, length) { i := add(i, 0x20) } {
                mcopy(add(free, 0x20), member, 0xa0) // 5 fields
                mstore(add(hashes, i), keccak256(free, 0xc0))
                member := add(member, 0xa0)
            }
            hash := keccak256(hashes, length)
        }
    }

    function hashVoucher(bytes32 leaseId, uint96[] calldata units, uint40[] calldata accrueFrom)
        internal
        pure
        returns (bytes32 hash)
    {
        bytes32 typehash = VOUCHER_TYPEHASH;
        assembly ("memory-safe") {
            let free := mload(0x40)
            let length := shl(5, units.length)
            calldatacopy(free, units.offset, length)
            let unitsHash := keccak256(free, length)
            length := shl(5, accrueFrom.length)
            calldatacopy(free, accrueFrom.offset, length)
            mstore(add(free, 0x60), keccak256(free, length))
            mstore(add(free, 0x40), unitsHash)
            mstore(add(free, 0x20), leaseId)
            mstore(free, typehash)
            hash := keccak256(free, 0x80)
        }
    }

    function hashClose(bytes32 leaseId, uint256 member, uint256 units) internal pure returns (bytes32 hash) {
        bytes32 typehash = CLOSE_TYPEHASH;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, typehash)
            mstore(add(free, 0x20), leaseId)
            mstore(add(free, 0x40), member)
            mstore(add(free, 0x60), units)
            hash := keccak256(free, 0x80)
        }
    }

    /// @notice What `rosterHash` records: no EIP-712 hash, because nobody signs it.
    function hashRoster(ILeaseTypes.Roster calldata roster, ILeaseTypes.Member[] calldata members)
        internal
        pure
        returns (bytes32 hash)
    {
        bytes32 fromHash = _hashWords(roster.from);
        bytes32 untilHash = _hashWords(roster.until);
        bytes32 membersHash = hashMembers(members);
        assembly ("memory-safe") {
            let free := mload(0x40)
            calldatacopy(free, roster, 0x60) // opened, maxSeconds, deposit
            mstore(add(free, 0x60), fromHash)
            mstore(add(free, 0x80), untilHash)
            mstore(add(free, 0xa0), membersHash)
            hash := keccak256(free, 0xc0)
        }
    }

    /// @param fromHash keccak256 of the words of `Roster.from`
    /// @param membersHash of all members, those that left too
    function hashRoster(
        uint256 opened,
        uint256 maxSeconds,
        uint256 deposit,
        bytes32 fromHash,
        bytes32 untilHash,
        bytes32 membersHash
    ) internal pure returns (bytes32) {
        return keccak256(abi.encode(opened, maxSeconds, deposit, fromHash, untilHash, membersHash));
    }

    function hashStop(bytes32 leaseId, uint40 deadline) internal pure returns (bytes32) {
        return keccak256(abi.encode(STOP_TYPEHASH, leaseId, deadline));
    }

    /// @param addedHash EIP-712 hash of the members to add
    function hashChange(bytes32 leaseId, ILeaseTypes.Change calldata change, bytes32 addedHash)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                CHANGE_TYPEHASH,
                leaseId,
                change.before,
                addedHash,
                change.dismissed,
                change.maxSeconds,
                change.deposit,
                change.changeBy
            )
        );
    }

    function hashSessionGrant(ILeaseTypes.SessionGrant calldata grant) internal pure returns (bytes32) {
        return keccak256(abi.encode(SESSION_TYPEHASH, grant));
    }

    function hashOrderSet(ILeaseTypes.OrderSet calldata set) internal pure returns (bytes32) {
        return keccak256(abi.encode(ORDER_SET_TYPEHASH, set));
    }

    function hashWithdraw(address owner, address to, uint256 amount, uint256 nonce, uint40 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(WITHDRAW_TYPEHASH, owner, to, amount, nonce, deadline));
    }

    function _hashWords(uint40[] calldata words) private pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            let length := shl(5, words.length)
            calldatacopy(free, words.offset, length)
            hash := keccak256(free, length)
        }
    }

    /// @notice What `paidUnitsHash` records.
    function hashUnits(uint96[] memory units) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            hash := keccak256(add(units, 0x20), shl(5, mload(units)))
        }
    }

    function hashUnitsCalldata(uint96[] calldata units) internal pure returns (bytes32 hash) {
        assembly ("memory-safe") {
            let free := mload(0x40)
            let length := shl(5, units.length)
            calldatacopy(free, units.offset, length)
            hash := keccak256(free, length)
        }
    }
}
