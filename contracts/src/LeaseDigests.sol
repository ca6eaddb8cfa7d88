// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {ILeaseTypes} from "./interfaces/ILeaseTypes.sol";
import {LeaseHash} from "./libraries/LeaseHash.sol";

/// @title The digests of everything that is signed for one escrow, and the hashes that it records
/// @notice For those who cannot make them off chain, and to check that those who do make the same. Holds nothing and is
/// asked by nobody: an escrow works without it.
contract LeaseDigests is ILeaseTypes {
    bytes32 public immutable domainSeparator;

    constructor(IERC5267 escrow) {
        (, string memory name, string memory version, uint256 chainId, address verifyingContract,,) =
            escrow.eip712Domain();
        domainSeparator = MessageHashUtils.toDomainSeparator(
            0x0f, keccak256(bytes(name)), keccak256(bytes(version)), chainId, verifyingContract, 0
        );
    }

    function hashAsk(Ask calldata ask) external view returns (bytes32) {
        return _digest(LeaseHash.hashAsk(ask));
    }

    /// @notice What `stop` asks for.
    function hashMembers(Member[] calldata members) external pure returns (bytes32) {
        return LeaseHash.hashMembers(members);
    }

    /// @return leaseId of the lease that the order opens
    function hashOrder(Order calldata order, Member[] calldata members)
        external
        view
        returns (bytes32 leaseId)
    {
        return _digest(LeaseHash.hashOrder(order, LeaseHash.hashMembers(members)));
    }

    function hashVoucher(bytes32 leaseId, uint96[] calldata units, uint40[] calldata accrueFrom)
        external
        view
        returns (bytes32)
    {
        return _digest(LeaseHash.hashVoucher(leaseId, units, accrueFrom));
    }

    /// @param member its index among all members of the lease
    function hashClose(bytes32 leaseId, uint32 member, uint96 units) external view returns (bytes32) {
        return _digest(LeaseHash.hashClose(leaseId, member, units));
    }

    function hashStop(bytes32 leaseId, uint40 deadline) external view returns (bytes32) {
        return _digest(LeaseHash.hashStop(leaseId, deadline));
    }

    function hashChange(bytes32 leaseId, Change calldata change, Member[] calldata added)
        external
        view
        returns (bytes32)
    {
        return _digest(LeaseHash.hashChange(leaseId, change, LeaseHash.hashMembers(added)));
    }

    function hashSessionGrant(SessionGrant calldata grant) external view returns (bytes32) {
        return _digest(LeaseHash.hashSessionGrant(grant));
    }

    function hashOrderSet(OrderSet calldata set) external view returns (bytes32) {
        return _digest(LeaseHash.hashOrderSet(set));
    }

    function hashWithdraw(address owner, address to, uint256 amount, uint256 nonce, uint40 deadline)
        external
        view
        returns (bytes32)
    {
        return _digest(LeaseHash.hashWithdraw(owner, to, amount, nonce, deadline));
    }

    /// @notice What `ILeaseEscrow.rosterHash` records. Nobody signs it.
    function hashRoster(Roster calldata roster, Member[] calldata members) external pure returns (bytes32) {
        return LeaseHash.hashRoster(roster, members);
    }

    function _digest(bytes32 structHash) private view returns (bytes32) {
        return MessageHashUtils.toTypedDataHash(domainSeparator, structHash);
    }
}
