// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "./ILeaseTypes.sol";

/// @title What every lease needs: balances, opening, settling
/// @notice See `ILeaseEscrow` for how a lease works.
interface ILeaseCore is ILeaseTypes {
    // ---------------------------------------------------------------- balances
    function deposit(uint256 amount) external;
    function withdraw(uint256 amount) external;

    // ---------------------------------------------------------------- open
    /// @notice Caller is the renter and has approved the deposit.
    function open(Order calldata order, MatchedAsk[] calldata asks) external returns (bytes32 leaseId);
    /// @notice Anybody sends it; the renter's one signature is the ERC-3009 authorization whose nonce is the lease's id.
    function openWithAuthorization(
        Order calldata order,
        MatchedAsk[] calldata asks,
        uint256 validAfter,
        uint256 validBefore,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (bytes32 leaseId);
    /// @notice From the renter's balance here. `signature` over the lease's id, unless its signer calls: by
    /// `order.session` within its grant; without one by the renter, ECDSA first, ERC-1271 second.
    function openFromBalance(Order calldata order, MatchedAsk[] calldata asks, bytes calldata signature)
        external
        returns (bytes32 leaseId);

    /// @notice As `open`, with an ERC-2612 permit; a permit that was front-run is tolerated if the allowance is there.
    function openWithPermit(
        Order calldata order,
        MatchedAsk[] calldata asks,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (bytes32 leaseId);
    /// @notice Anybody sends it; the renter's one signature is Permit2's, with the order as its witness: a wallet shows
    /// every field of it.
    function openWithPermit2(
        Order calldata order,
        MatchedAsk[] calldata asks,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external returns (bytes32 leaseId);

    // ---------------------------------------------------------------- run and end
    /// @notice Pays what vouchers prove. A row that proves nothing new or is wrong is skipped, never reverted. A member
    /// for whom a voucher proves less than was paid keeps what it has.
    function checkpoint(Settlement[] calldata rows) external returns (uint256 applied);
    /// @notice Closes leases whose members all signed. Wrong rows are skipped.
    function close(Closing[] calldata rows) external returns (uint256 closed);
    /// @notice Closes leases whose window has passed, applying a last voucher where one is given. Early rows are skipped.
    function finalize(Settlement[] calldata rows) external returns (uint256 closed);
}
