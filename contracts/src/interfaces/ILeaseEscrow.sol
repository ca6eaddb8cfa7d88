// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The money of Latent: prepaid leases paid by signed, cumulative device-seconds under a clock cap
/// @notice A lease has one renter, one deposit and one or more members (operators). What is signed while it runs
/// is how much was delivered, never what is owed; the contract turns it into money:
///
///   charge_i = floor(rate_i * min(units_i, devices_i * seconds_i) / RATE_SCALE)
///   seconds_i = max(0, min(min(now, stopAt) + prepay, openedAt + maxSeconds) - max(openedAt, accrueFrom_i))
///
/// so that no voucher pays faster than real time, and one large voucher turns the lease into a stream.
///
/// One slot is stored per lease. Its terms are the EIP-712 digest of the order, which is the lease's id; whoever
/// calls presents the order and the members again. A second slot is written only if a lease is checkpointed while
/// it runs.
///
///   NONE --open--> ACTIVE --stop--> STOPPING
///   ACTIVE | STOPPING --checkpoint--> (same state)      pays what a voucher proves, up to the clock
///   ACTIVE | STOPPING --close--> CLOSED                 every member signed what it claims; pay, fee, refund
///   ACTIVE | STOPPING --finalize--> CLOSED              after min(stopAt, end) + closeWindow, without signatures
///   CLOSED is terminal: an id can never be opened again.
///
/// Assumptions on the token: transfers move exactly the amount (checked on the way in), no rebasing.
/// @dev Immutable; no owner; no function takes from anybody's balance but by its owner's signature, call or lease.
/// (`sweep` sends balances to their own owners.) While a call is under way, views of the state revert, so that nobody
/// acts on a half-done change.
interface ILeaseEscrow {
    enum State {
        NONE,
        ACTIVE,
        CLOSED
    }

    /// @notice What an agent signs: a standing offer of its machine's devices. Signed by `agentKey` (a plain key).
    struct Ask {
        address operator; // who is paid
        address agentKey; // signs this ask, holds and closes; belongs to `operator` in `Operators`
        bytes32 resource; // EIP-712 hashStruct of what is offered (packages/protocol `Resource`); opaque here
        uint32 devices; // devices of the machine on offer, over all of its asks and leases
        uint64 rate; // 1e-9 token base units per device-second
        uint40 maxSeconds; // longest lease
        uint32 closeWindow; // seconds the operator needs after a stop to post its last voucher
        uint16 prepay; // seconds of vouchers in advance that the operator wants
        uint16 maxFeeBps; // highest protocol fee the operator accepts, taken from what it is paid
        uint40 validUntil; // unix seconds
        uint32 epoch; // must equal the agent's epoch in `Operators`; raising that cancels all older asks
        uint256 salt;
    }

    /// @notice An ask taken into a lease: how many of its devices, and the agent's signature (EIP-2098).
    struct MatchedAsk {
        Ask ask;
        uint32 devices;
        bytes32 r;
        bytes32 vs;
    }

    /// @notice One operator's part in a lease; follows from its matched ask.
    struct Member {
        bytes32 ask; // digest of the ask
        address operator;
        address agentKey;
        uint32 devices;
        uint64 rate;
    }

    /// @notice What the renter commits to. The EIP-712 digest of the order and its members is the lease's id.
    struct Order {
        address renter;
        address meterKey; // plain key that signs vouchers; fixed for the whole lease
        uint96 deposit; // >= what all members can ever be paid for `maxSeconds`
        uint40 maxSeconds; // the lease ends by itself this long after it opened
        uint32 closeWindow; // >= every member's ask
        uint16 prepay; // seconds a voucher may run ahead of the clock; >= every member's ask
        uint16 maxFeeBps;
        uint40 openBy; // unix seconds
        bytes32 workload; // digest of the job, for evidence; opaque here
        uint256 salt;
    }

    /// @notice The stored slot.
    struct Lease {
        State state;
        uint40 openedAt;
        uint40 stopAt; // 0 until stopped
        uint16 feeBps; // snapshot at opening
        uint96 charged; // token base units paid out so far, fee included
    }

    /// @notice What the meter key signs: cumulative device-seconds per member, one signature for all members.
    struct Voucher {
        uint96[] units;
        uint40[] accrueFrom; // a member's clock starts at max(openedAt, accrueFrom)
        bytes32 r;
        bytes32 vs;
    }

    /// @notice One row of a batch. `paidUnits` is what the last checkpoint recorded; empty if there was none.
    /// `voucher.units` and `voucher.accrueFrom` are empty where no voucher is presented: in `finalize`, and in `close`
    /// where nothing is claimed beyond what was paid (agents that never got a voucher free their devices so).
    /// The signature of a voucher that proves nothing new is not looked at.
    struct Settlement {
        Order order;
        Member[] members;
        uint96[] paidUnits;
        Voucher voucher;
    }

    /// @notice A settlement every agent agreed to: `claimed[i]` is all that member i claims. Each must be covered
    /// by the voucher and the clock; exactly `claimed` is paid, so that prepaid but undelivered time is refunded.
    struct Closing {
        Settlement settlement;
        uint96[] claimed;
        bytes32[] r;
        bytes32[] vs;
    }

    event Opened(bytes32 indexed leaseId, address indexed renter, Order order, Member[] members);
    /// @param units cumulative device-seconds per member that are now paid (needed as `paidUnits` next time)
    /// @param charged token base units paid out for this lease so far, fee included
    event Paid(bytes32 indexed leaseId, uint96[] units, uint256 charged);
    event Stopping(bytes32 indexed leaseId, uint40 stopAt);
    event Closed(bytes32 indexed leaseId, uint256 charged, uint256 refund);
    /// @notice By its owner; or a refund that the token refused to deliver and that stays here for the renter.
    event Deposited(address indexed owner, uint256 amount);
    event Withdrawn(address indexed owner, uint256 amount);

    error NoTreasury();
    error NotRenter(address caller, address renter);
    error MayNotStop(address caller);
    error BadOrderSignature(address renter);
    error AlreadyOpened(bytes32 leaseId);
    error NotActive(bytes32 leaseId);
    error AlreadyStopping(bytes32 leaseId, uint40 stopAt);
    error NoMembers();
    error TooManyMembers(uint256 members, uint256 limit);
    error OrderExpired(uint40 openBy);
    error OrderOutOfRange(bytes32 field);
    error DepositTooSmall(uint256 deposit, uint256 required);
    error FeeAboveMaximum(uint256 feeBps, uint256 maximum);
    error AskExpired(uint256 member, uint40 validUntil);
    error AskOutOfRange(uint256 member, bytes32 field);
    error BadAskSignature(uint256 member, address agentKey);
    error UnknownAgent(uint256 member, address agentKey, address operator);
    error AskCancelled(uint256 member, uint32 askEpoch, uint32 agentEpoch);
    error AskOversold(uint256 member, uint256 inUse, uint256 wanted, uint256 devices);
    error TokenNotExact(uint256 received, uint256 expected);
    error InsufficientBalance(address owner, uint256 balance, uint256 wanted);

    // ---------------------------------------------------------------- balances
    function deposit(uint256 amount) external;
    function withdraw(uint256 amount) external;
    /// @notice Pushes each owner's balance to that owner. An owner the token refuses keeps its balance. Owners that
    /// ever deposited are left out unless they call: else anybody could spoil their next `openFromBalance`.
    function sweep(address[] calldata owners) external;
    function balanceOf(address owner) external view returns (uint256);

    // ---------------------------------------------------------------- open
    /// @notice Caller is the renter and has approved the deposit.
    function open(Order calldata order, MatchedAsk[] calldata asks) external returns (bytes32 leaseId);
    /// @notice As `open`, with an ERC-2612 permit; a permit that was front-run is tolerated if the allowance is there.
    function openWithPermit(
        Order calldata order,
        MatchedAsk[] calldata asks,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external returns (bytes32 leaseId);
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
    /// @notice From the renter's balance here. `signature` over the lease's id unless the caller is the renter;
    /// ECDSA first, ERC-1271 second.
    function openFromBalance(Order calldata order, MatchedAsk[] calldata asks, bytes calldata signature)
        external
        returns (bytes32 leaseId);

    // ---------------------------------------------------------------- run and end
    /// @notice Pays what vouchers prove. A row that proves nothing new or is wrong is skipped, never reverted. A member
    /// for whom a voucher proves less than was paid keeps what it has.
    function checkpoint(Settlement[] calldata rows) external returns (uint256 applied);
    /// @notice Freezes the clock. Renter or meter key only.
    function stop(Order calldata order, Member[] calldata members) external;
    /// @notice Closes leases whose members all signed. Wrong rows are skipped.
    function close(Closing[] calldata rows) external returns (uint256 closed);
    /// @notice Closes leases whose window has passed, applying a last voucher where one is given. Early rows are skipped.
    function finalize(Settlement[] calldata rows) external returns (uint256 closed);

    // ---------------------------------------------------------------- views
    function lease(bytes32 leaseId) external view returns (Lease memory);
    /// @notice keccak256 of the units (one 32-byte word each) that the last checkpoint recorded; zero if there was
    /// none, and after the lease closed.
    function paidUnitsHash(bytes32 leaseId) external view returns (bytes32);
    /// @notice Devices of this agent's machine that are in open leases.
    function devicesInUse(address agentKey) external view returns (uint256);
    function hashAsk(Ask calldata ask) external view returns (bytes32);
    function hashOrder(Order calldata order, Member[] calldata members)
        external
        view
        returns (bytes32 leaseId);
    function hashVoucher(bytes32 leaseId, uint96[] calldata units, uint40[] calldata accrueFrom)
        external
        view
        returns (bytes32);
    function hashClose(bytes32 leaseId, uint96 units) external view returns (bytes32);
}
