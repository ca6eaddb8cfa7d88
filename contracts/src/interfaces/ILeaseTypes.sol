// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The words of the escrow: what its parties sign and present, what it tells, and why it refuses
interface ILeaseTypes {
    enum State {
        NONE,
        ACTIVE,
        CLOSED
    }

    /// @notice What an escrow is made with, for ever.
    struct Terms {
        address token; // the stablecoin
        address operators; // `Operators`
        address treasury; // where the fee goes
        uint16 feeBps; // 1/10,000 of what operators are paid, at most `MAX_FEE_BPS`
        address permit2; // zero where the chain has none
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
        address session; // key that opened it from the renter's balance, where the refund goes; zero: the renter itself
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
        bool changed; // its roster differs from what it was opened with: `rosterHash`
        uint40 openedAt;
        uint40 stopAt; // 0 until stopped
        uint40 checkpointedAt; // when a voucher last paid while it ran; 0 if none did
        uint16 feeBps; // snapshot at opening
        uint96 charged; // token base units paid out so far, fee included
    }

    /// @notice Who is in a lease that was changed while it ran, beside its members. Members are only ever added at the
    /// end, so that an index means the same member for ever; those that left stay in their place.
    struct Roster {
        uint32 opened; // members that the lease was opened with; they come first
        uint40 maxSeconds; // the lease now ends this long after it opened
        uint96 deposit; // all that is held for it now, what was charged included
        uint40[] from; // unix seconds: a member's clock starts here; 0 with the lease
        uint40[] until; // 0: serves to the end; 1: left, paid in full, devices free; else its clock ends here
    }

    /// @notice What a renter, or its session key, agrees to change.
    struct Change {
        bytes32 before; // `rosterHash` of the lease as it is; zero if it was never changed
        uint256 dismissed; // bit i: member i's clock ends `prepay` seconds from now
        uint40 maxSeconds; // never less than it was
        uint96 deposit; // all that is to be held; what is freed is refunded
        uint40 changeBy; // unix seconds
    }

    /// @notice What the meter key signs: cumulative device-seconds per member, one signature for all members. One with fewer
    /// entries than the lease has members by now proves nothing for the later ones.
    struct Voucher {
        uint96[] units;
        uint40[] accrueFrom; // a member's clock starts at max(openedAt, its roster's from, accrueFrom)
        bytes32 r;
        bytes32 vs;
    }

    /// @notice One row of a batch. `paidUnits` is what the last payment recorded; empty if there was none. What was
    /// recorded before it will do where the same voucher made the difference, so that nobody can spoil a row by posting
    /// its voucher first.
    /// `voucher.units` and `voucher.accrueFrom` are empty where no voucher is presented: in `finalize`, and in `close`
    /// and `leave` where nothing is claimed beyond what was paid (agents that never got a voucher free their devices
    /// so). The signature of a voucher that proves nothing new is not looked at.
    struct Settlement {
        Order order;
        Member[] members; // all of them, those that left too
        uint96[] paidUnits;
        Roster[] roster; // none unless the lease was changed; then one
        Voucher voucher;
    }

    /// @notice A settlement every agent agreed to: `claimed[i]` is all that member i claims. Each must be covered
    /// by the voucher and the clock; exactly `claimed` is paid, so that prepaid but undelivered time is refunded. (Not what
    /// was paid before: a claim below that ends the member's part, and takes nothing back.)
    /// A member that left has nothing more to claim: what it was paid, and no signature.
    struct Closing {
        Settlement settlement;
        uint96[] claimed;
        bytes32[] r;
        bytes32[] vs;
    }

    /// @notice One member that ends its part alone. The rest of the lease goes on.
    struct Leaving {
        Settlement settlement;
        uint32 member;
        uint96 claimed;
        bytes32 r;
        bytes32 vs;
    }

    /// @notice A renter's leave for a key to open leases from the renter's balance here.
    struct SessionGrant {
        address renter;
        address key; // a plain key
        uint96 spendLimit; // base units that all leases of this key may ever hold or have cost, refunds taken off
        uint64 maxRate; // highest rate of an ask it may take
        uint32 maxDevices; // most devices of one lease or change
        uint40 validUntil; // unix seconds; a past one ends the grant
        uint256 nonce; // the renter's next, see `nonces`
    }

    struct Session {
        uint96 spendLimit;
        uint96 spent; // held in open leases or paid out, over all grants of this key
        uint40 validUntil;
        uint64 maxRate;
        uint32 maxDevices;
    }

    /// @notice Many orders, one signature: `root` is the Merkle root of their leases' ids (pairs hashed in order of size).
    struct OrderSet {
        address renter;
        bytes32 root;
        uint32 count; // most leases that may be opened
        uint128 totalDeposit; // most base units they may take
        uint40 openBy; // unix seconds
        uint256 salt;
    }

    struct SetUse {
        bool funded; // paid for by an authorization that named the set: no signature is asked for any more
        uint32 opened;
        uint128 deposited;
    }

    event Opened(bytes32 indexed leaseId, address indexed renter, Order order, Member[] members);
    /// @param units cumulative device-seconds per member that are now paid (needed as `paidUnits` next time)
    /// @param charged token base units paid out for this lease so far, fee included
    event Paid(bytes32 indexed leaseId, uint96[] units, uint256 charged);
    /// @param added members that joined now; they come after those known before
    event Changed(bytes32 indexed leaseId, Roster roster, Member[] added);
    event Stopping(bytes32 indexed leaseId, uint40 stopAt);
    event Closed(bytes32 indexed leaseId, uint256 charged, uint256 refund);
    /// @notice By its owner; or a refund that the token refused to deliver. What a session's lease gives back to the balance
    /// is told by `Closed` and `Changed`.
    event Deposited(address indexed owner, uint256 amount);
    event Withdrawn(address indexed owner, uint256 amount);
    event SessionGranted(address indexed renter, address indexed key, SessionGrant grant);
    event SessionRevoked(address indexed renter, address indexed key);
    event SetFunded(address indexed renter, bytes32 indexed set, OrderSet orders);

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
    /// @notice `paidUnits`, `roster` or `before` are not what the escrow recorded last.
    error StaleTerms(bytes32 leaseId);
    error ChangeOutOfRange(bytes32 field);
    error BadSignature(address signer);
    error SignatureExpired(uint40 deadline);
    error SessionNotValid(address renter, address key, uint40 validUntil);
    error SessionLimit(bytes32 field, uint256 wanted, uint256 limit);
    error NotInSet(bytes32 set, bytes32 leaseId);
    error SetExhausted(bytes32 set, bytes32 field, uint256 limit);
    error NoPermit2();
    error OnlyThroughEscrow();
}
