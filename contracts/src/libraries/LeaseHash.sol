// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseEscrow} from "../interfaces/ILeaseEscrow.sol";

/// @title EIP-712 struct hashes of what the parties to a lease sign
/// @notice Pure. Mirrored in `packages/protocol`; `packages/protocol/vectors/messages.json` is checked here and there.
library LeaseHash {
    bytes32 internal constant ASK_TYPEHASH = keccak256(
        "Ask(address operator,address agentKey,bytes32 resource,uint32 devices,uint64 rate,uint40 maxSeconds,uint32 closeWindow,uint16 prepay,uint16 maxFeeBps,uint40 validUntil,uint32 epoch,uint256 salt)"
    );
    bytes32 internal constant MEMBER_TYPEHASH =
        keccak256("Member(bytes32 ask,address operator,address agentKey,uint32 devices,uint64 rate)");
    bytes32 internal constant ORDER_TYPEHASH = keccak256(
        "Order(address renter,address meterKey,Member[] members,uint96 deposit,uint40 maxSeconds,uint32 closeWindow,uint16 prepay,uint16 maxFeeBps,uint40 openBy,bytes32 workload,uint256 salt)Member(bytes32 ask,address operator,address agentKey,uint32 devices,uint64 rate)"
    );
    bytes32 internal constant VOUCHER_TYPEHASH =
        keccak256("Voucher(bytes32 leaseId,uint96[] units,uint40[] accrueFrom)");
    bytes32 internal constant CLOSE_TYPEHASH = keccak256("Close(bytes32 leaseId,uint96 units)");

    function hash(ILeaseEscrow.Ask calldata ask) internal pure returns (bytes32) {
        return keccak256(abi.encode(ASK_TYPEHASH, ask));
    }

    /// @param membersHash from `hashMembers` or `hashMembersMemory`
    function hash(ILeaseEscrow.Order calldata order, bytes32 membersHash) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                ORDER_TYPEHASH,
                order.renter,
                order.meterKey,
                membersHash,
                order.deposit,
                order.maxSeconds,
                order.closeWindow,
                order.prepay,
                order.maxFeeBps,
                order.openBy,
                order.workload,
                order.salt
            )
        );
    }

    function hashMembers(ILeaseEscrow.Member[] calldata members) internal pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](members.length);
        for (uint256 i; i < members.length; ++i) {
            hashes[i] = keccak256(abi.encode(MEMBER_TYPEHASH, members[i]));
        }
        return keccak256(abi.encodePacked(hashes));
    }

    function hashMembersMemory(ILeaseEscrow.Member[] memory members) internal pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](members.length);
        for (uint256 i; i < members.length; ++i) {
            hashes[i] = keccak256(abi.encode(MEMBER_TYPEHASH, members[i]));
        }
        return keccak256(abi.encodePacked(hashes));
    }

    function hashVoucher(bytes32 leaseId, uint96[] calldata units, uint40[] calldata accrueFrom)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                VOUCHER_TYPEHASH,
                leaseId,
                keccak256(abi.encodePacked(units)),
                keccak256(abi.encodePacked(accrueFrom))
            )
        );
    }

    function hashClose(bytes32 leaseId, uint256 units) internal pure returns (bytes32) {
        return keccak256(abi.encode(CLOSE_TYPEHASH, leaseId, units));
    }

    /// @notice EIP-712's hash of an array: its 32-byte words, concatenated. What `paidUnitsHash` records.
    function hashWords(uint96[] memory units) internal pure returns (bytes32) {
        return keccak256(abi.encodePacked(units));
    }
}
