// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseCore} from "./ILeaseCore.sol";
import {ILeaseExtension} from "./ILeaseExtension.sol";

/// @title The money of Latent: prepaid leases paid by signed, cumulative device-seconds under a clock cap
/// @notice A lease has one renter, one deposit and one or more members (operators). What is signed while it runs
/// is how much was delivered, never what is owed; the contract turns it into money:
///
///   charge_i = floor(rate_i * min(units_i, devices_i * seconds_i) / RATE_SCALE)
///   seconds_i = max(0, min(min(now, stopAt) + prepay, openedAt + maxSeconds, until_i)
///                      - max(openedAt, from_i, accrueFrom_i))
///
/// so that no voucher pays faster than real time, and one large voucher turns the lease into a stream. `from_i` and
/// `until_i` are those of the roster, for members that were added or dismissed while the lease ran.
///
/// One slot is stored per lease. Its terms are the EIP-712 digest of the order, which is the lease's id; whoever
/// calls presents the order and the members again. A second slot is written only if a lease is checkpointed while
/// it runs, a third only if it is changed.
///
///   NONE --open--> ACTIVE --stop--> STOPPING
///   ACTIVE | STOPPING --checkpoint--> (same state)      pays what a voucher proves, up to the clock
///   ACTIVE | STOPPING --leave--> (same state)           one member signed what it claims: paid, and out
///   ACTIVE --change--> ACTIVE                           members, length, deposit; by the renter
///   STOPPING --change--> STOPPING                       what can no longer be charged is refunded
///   ACTIVE | STOPPING --close--> CLOSED                 every member signed what it claims; pay, fee, refund
///   ACTIVE | STOPPING --finalize--> CLOSED              after min(stopAt, end) + closeWindow, without signatures
///   CLOSED is terminal: an id can never be opened again.
///
/// Assumptions on the token: transfers move exactly the amount (checked on the way in), no rebasing.
/// @dev Immutable; no owner; no function takes from anybody's balance but by its owner's signature, call, session or
/// lease. (`sweep` sends balances to their own owners.) While a call is under way, views of the state revert, so that
/// nobody acts on a half-done change.
interface ILeaseEscrow is ILeaseCore, ILeaseExtension {}
