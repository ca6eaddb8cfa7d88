// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "./ILeaseTypes.sol";

/// @title What some leases need: order sets, session keys, changes while it runs, exits, and all views
/// @notice Called on the escrow itself, which passes these on (see `LeaseExtension`).
interface ILeaseExtension is ILeaseTypes {
    // ---------------------------------------------------------------- order sets
    /// @notice One order of a set, from the renter's balance. `signature` over the set's digest unless the renter calls
    /// or the set was funded.
    function openFromSet(
        Order calldata order,
        MatchedAsk[] calldata asks,
        OrderSet calldata set,
        bytes32[] calldata proof,
        bytes calldata signature
    ) external returns (bytes32 leaseId);
    /// @notice Moves a set's `totalDeposit` into the renter's balance and allows its orders: the one signature is the
    /// ERC-3009 authorization whose nonce is the set's digest.
    function fundSet(
        OrderSet calldata set,
        uint256 validAfter,
        uint256 validBefore,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    // ---------------------------------------------------------------- session keys
    /// @notice By the renter, or by anybody with its signature (ECDSA first, ERC-1271 second).
    function grantSession(SessionGrant calldata grant, bytes calldata signature) external;
    /// @notice Moves `amount` into the renter's balance and grants: the one signature is the ERC-3009 authorization whose
    /// nonce is the grant's digest.
    function grantSessionWithAuthorization(
        SessionGrant calldata grant,
        uint256 amount,
        uint256 validAfter,
        uint256 validBefore,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;
    /// @notice By the renter. Open leases of the key go on. Voids what the renter signed with its present nonce and nobody
    /// brought yet.
    function revokeSession(address key) external;

    // ---------------------------------------------------------------- change while it runs
    /// @notice Adds members, dismisses members, prolongs the lease, raises or lowers its deposit, all or nothing. What is
    /// missing comes from the renter's balance; what is freed goes where the refund would.
    /// A dismissed member can still be paid what vouchers prove up to the end of its clock; an added one starts its own
    /// clock now. After a stop only the deposit can be lowered.
    /// @param row the lease as it is; its voucher is not looked at
    /// @param added asks of the members to add
    /// @param asks where `maxSeconds` grows: the ask of every member that serves to the end, in order, which must allow it
    /// and still be valid
    /// @param signature of the renter or of `order.session` over the change, unless one of them calls
    function change(
        Settlement calldata row,
        Change calldata change_,
        MatchedAsk[] calldata added,
        Ask[] calldata asks,
        bytes calldata signature
    ) external;
    /// @notice As `change` with a higher deposit, paid by the renter's one signature: the ERC-3009 authorization whose nonce
    /// is the change's digest.
    function changeWithAuthorization(
        Settlement calldata row,
        Change calldata change_,
        MatchedAsk[] calldata added,
        Ask[] calldata asks,
        uint256 validAfter,
        uint256 validBefore,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;

    // ---------------------------------------------------------------- exits
    /// @notice Members end their parts: each is paid what it claims and its devices are free. Wrong rows are skipped.
    function leave(Leaving[] calldata rows) external returns (uint256 left);
    /// @notice Freezes the clock. Renter, session key or meter key only.
    /// @param membersHash EIP-712 hash of the members that the lease was opened with
    function stop(Order calldata order, bytes32 membersHash) external;
    /// @notice As `stop`, by anybody with a signature of one of them.
    /// @param deadline unix seconds
    function stopFor(Order calldata order, bytes32 membersHash, uint40 deadline, bytes calldata signature)
        external;
    /// @notice As `withdraw`, to any address, by anybody with the owner's signature (ECDSA first, ERC-1271 second).
    function withdrawFor(address owner, address to, uint256 amount, uint40 deadline, bytes calldata signature)
        external;
    /// @notice Pushes each owner's balance to that owner. An owner the token refuses keeps its balance. Owners that
    /// ever deposited are left out unless they call: else anybody could spoil their next `openFromBalance`.
    function sweep(address[] calldata owners) external;

    // ---------------------------------------------------------------- views
    function terms() external view returns (Terms memory);
    function balanceOf(address owner) external view returns (uint256);
    function lease(bytes32 leaseId) external view returns (Lease memory);
    /// @notice keccak256 of the units (one 32-byte word each) that the last payment recorded; zero if there was none,
    /// and after the lease closed.
    function paidUnitsHash(bytes32 leaseId) external view returns (bytes32);
    /// @notice `hashRoster` of what the lease was changed to; zero if it never was, and after it closed.
    function rosterHash(bytes32 leaseId) external view returns (bytes32);
    /// @notice Devices of this agent's machine that are in open leases.
    function devicesInUse(address agentKey) external view returns (uint256);
    function session(address renter, address key) external view returns (Session memory);
    function setUse(bytes32 set) external view returns (SetUse memory);
}
