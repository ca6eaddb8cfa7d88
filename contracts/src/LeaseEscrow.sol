// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC3009} from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ILeaseEscrow} from "./interfaces/ILeaseEscrow.sol";
import {IOperators} from "./interfaces/IOperators.sol";
import {LeaseHash} from "./libraries/LeaseHash.sol";
import {Metering} from "./libraries/Metering.sol";

/// @title The money of Latent
/// @dev What the functions promise is written in `ILeaseEscrow`. Immutable; no owner; exits cannot be paused.
contract LeaseEscrow is ILeaseEscrow, EIP712, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    uint256 public constant RATE_SCALE = Metering.RATE_SCALE;
    uint256 public constant MAX_FEE_BPS = 50;
    uint256 public constant MAX_PREPAY = 60;
    uint256 public constant MIN_CLOSE_WINDOW = 15 minutes;
    uint256 public constant MAX_CLOSE_WINDOW = 7 days;
    /// @notice Members of one lease. Closing for 128 operators that were never paid before costs 5M gas: a third of
    /// the 2^24 that EIP-7825 allows a transaction, so that leases stay closable if new storage gets thrice as dear.
    uint256 public constant MAX_MEMBERS = 128;

    IERC20 public immutable token;
    IOperators public immutable operators;
    address public immutable treasury;
    uint16 public immutable feeBps;

    /// @dev One word. `checkpointed` spares leases that never were the reading of `_paidUnitsHash`.
    struct Stored {
        State state;
        bool checkpointed;
        uint40 openedAt;
        uint40 stopAt;
        uint16 feeBps;
        uint96 charged;
    }

    /// @dev One word. `touched` keeps it from returning to zero, so that paying an operator that withdrew costs 5,000
    /// gas and not 22,100. `kept` is set by a deposit: see `sweep`.
    struct Balance {
        uint240 amount;
        bool touched;
        bool kept;
    }

    mapping(bytes32 leaseId => Stored) private _leases;
    mapping(bytes32 leaseId => bytes32) private _paidUnitsHash;
    mapping(address owner => Balance) private _balances;
    /// @dev Devices in open leases, plus one once it was ever used, so that the word never returns to zero.
    mapping(address agentKey => uint256) private _devicesInUse;

    constructor(IERC20 token_, IOperators operators_, address treasury_, uint16 feeBps_)
        EIP712("Latent LeaseEscrow", "1")
    {
        if (feeBps_ > MAX_FEE_BPS) revert FeeAboveMaximum(feeBps_, MAX_FEE_BPS);
        token = token_;
        operators = operators_;
        treasury = treasury_;
        feeBps = feeBps_;
    }

    // ---------------------------------------------------------------- balances

    /// @inheritdoc ILeaseEscrow
    function deposit(uint256 amount) external nonReentrant {
        _credit(msg.sender, SafeCast.toUint128(amount));
        _balances[msg.sender].kept = true;
        emit Deposited(msg.sender, amount);
        _pull(msg.sender, amount);
    }

    /// @inheritdoc ILeaseEscrow
    function withdraw(uint256 amount) external nonReentrant {
        _debit(msg.sender, amount);
        emit Withdrawn(msg.sender, amount);
        token.safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc ILeaseEscrow
    function sweep(address[] calldata owners) external nonReentrant {
        for (uint256 i; i < owners.length; ++i) {
            address owner = owners[i];
            Balance storage balance = _balances[owner];
            uint240 amount = balance.amount;
            if (amount == 0 || (balance.kept && owner != msg.sender)) continue;
            balance.amount = 0;
            if (token.trySafeTransfer(owner, amount)) emit Withdrawn(owner, amount);
            else balance.amount = amount;
        }
    }

    // ---------------------------------------------------------------- open

    /// @inheritdoc ILeaseEscrow
    function open(Order calldata order, MatchedAsk[] calldata asks)
        external
        nonReentrant
        returns (bytes32 leaseId)
    {
        _requireRenter(order);
        leaseId = _open(order, asks);
        _pull(order.renter, order.deposit);
    }

    /// @inheritdoc ILeaseEscrow
    function openWithPermit(
        Order calldata order,
        MatchedAsk[] calldata asks,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant returns (bytes32 leaseId) {
        _requireRenter(order);
        leaseId = _open(order, asks);
        // A permit is public once sent: somebody may have used it first. The allowance decides, in `_pull`.
        try IERC20Permit(address(token)).permit(
            order.renter, address(this), order.deposit, deadline, v, r, s
        ) {} catch {}
        _pull(order.renter, order.deposit);
    }

    /// @inheritdoc ILeaseEscrow
    function openWithAuthorization(
        Order calldata order,
        MatchedAsk[] calldata asks,
        uint256 validAfter,
        uint256 validBefore,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant returns (bytes32 leaseId) {
        leaseId = _open(order, asks);
        uint256 balanceBefore = token.balanceOf(address(this));
        IERC3009(address(token))
            .receiveWithAuthorization(
                order.renter, address(this), order.deposit, validAfter, validBefore, leaseId, v, r, s
            );
        _requireReceived(balanceBefore, order.deposit);
    }

    /// @inheritdoc ILeaseEscrow
    function openFromBalance(Order calldata order, MatchedAsk[] calldata asks, bytes calldata signature)
        external
        nonReentrant
        returns (bytes32 leaseId)
    {
        leaseId = _open(order, asks);
        _debit(order.renter, order.deposit);
        if (msg.sender != order.renter && !_signedByWallet(leaseId, signature, order.renter)) {
            revert BadOrderSignature(order.renter);
        }
    }

    // ---------------------------------------------------------------- run and end

    /// @inheritdoc ILeaseEscrow
    function checkpoint(Settlement[] calldata rows) external nonReentrant returns (uint256 applied) {
        for (uint256 i; i < rows.length; ++i) {
            if (_checkpoint(rows[i])) ++applied;
        }
    }

    /// @inheritdoc ILeaseEscrow
    function stop(Order calldata order, Member[] calldata members) external nonReentrant {
        bytes32 leaseId = hashOrder(order, members);
        Stored storage stored = _leases[leaseId];
        if (stored.state != State.ACTIVE) revert NotActive(leaseId);
        if (msg.sender != order.renter && msg.sender != order.meterKey) revert MayNotStop(msg.sender);
        if (stored.stopAt != 0) revert AlreadyStopping(leaseId, stored.stopAt);
        uint40 stopAt = uint40(block.timestamp);
        stored.stopAt = stopAt;
        emit Stopping(leaseId, stopAt);
    }

    /// @inheritdoc ILeaseEscrow
    function close(Closing[] calldata rows) external nonReentrant returns (uint256 closed) {
        for (uint256 i; i < rows.length; ++i) {
            if (_close(rows[i])) ++closed;
        }
    }

    /// @inheritdoc ILeaseEscrow
    function finalize(Settlement[] calldata rows) external nonReentrant returns (uint256 closed) {
        for (uint256 i; i < rows.length; ++i) {
            if (_finalize(rows[i])) ++closed;
        }
    }

    // ---------------------------------------------------------------- views

    /// @inheritdoc ILeaseEscrow
    function lease(bytes32 leaseId) external view nonReentrantView returns (Lease memory) {
        Stored memory stored = _leases[leaseId];
        return Lease(stored.state, stored.openedAt, stored.stopAt, stored.feeBps, stored.charged);
    }

    /// @inheritdoc ILeaseEscrow
    function paidUnitsHash(bytes32 leaseId) external view nonReentrantView returns (bytes32) {
        return _paidUnitsHash[leaseId];
    }

    /// @inheritdoc ILeaseEscrow
    function balanceOf(address owner) external view nonReentrantView returns (uint256) {
        return _balances[owner].amount;
    }

    /// @inheritdoc ILeaseEscrow
    function devicesInUse(address agentKey) external view nonReentrantView returns (uint256) {
        uint256 biased = _devicesInUse[agentKey];
        return biased == 0 ? 0 : biased - 1;
    }

    /// @inheritdoc ILeaseEscrow
    function hashAsk(Ask calldata ask) external view returns (bytes32) {
        return _hashTypedDataV4(LeaseHash.hash(ask));
    }

    /// @inheritdoc ILeaseEscrow
    function hashOrder(Order calldata order, Member[] calldata members) public view returns (bytes32) {
        return _hashTypedDataV4(LeaseHash.hash(order, LeaseHash.hashMembers(members)));
    }

    /// @inheritdoc ILeaseEscrow
    function hashVoucher(bytes32 leaseId, uint96[] calldata units, uint40[] calldata accrueFrom)
        external
        view
        returns (bytes32)
    {
        return _hashTypedDataV4(LeaseHash.hashVoucher(leaseId, units, accrueFrom));
    }

    /// @inheritdoc ILeaseEscrow
    function hashClose(bytes32 leaseId, uint96 units) external view returns (bytes32) {
        return _hashTypedDataV4(LeaseHash.hashClose(leaseId, units));
    }

    // ---------------------------------------------------------------- opening

    function _open(Order calldata order, MatchedAsk[] calldata asks) private returns (bytes32 leaseId) {
        _checkOrder(order, asks.length);
        (Member[] memory members, uint256 required) = _takeAsks(order, asks);
        if (order.deposit < required) revert DepositTooSmall(order.deposit, required);

        leaseId = _hashTypedDataV4(LeaseHash.hash(order, LeaseHash.hashMembersMemory(members)));
        if (_leases[leaseId].state != State.NONE) revert AlreadyOpened(leaseId);
        _leases[leaseId] = Stored({
            state: State.ACTIVE,
            checkpointed: false,
            openedAt: uint40(block.timestamp),
            stopAt: 0,
            feeBps: feeBps,
            charged: 0
        });
        emit Opened(leaseId, order.renter, order, members);
    }

    function _checkOrder(Order calldata order, uint256 memberCount) private view {
        if (memberCount == 0) revert NoMembers();
        if (memberCount > MAX_MEMBERS) revert TooManyMembers(memberCount, MAX_MEMBERS);
        if (block.timestamp > order.openBy) revert OrderExpired(order.openBy);
        if (order.maxFeeBps < feeBps) revert FeeAboveMaximum(feeBps, order.maxFeeBps);
        if (order.meterKey == address(0)) revert OrderOutOfRange("meterKey");
        if (order.maxSeconds == 0) revert OrderOutOfRange("maxSeconds");
        if (order.prepay > MAX_PREPAY) revert OrderOutOfRange("prepay");
        if (order.closeWindow < MIN_CLOSE_WINDOW || order.closeWindow > MAX_CLOSE_WINDOW) {
            revert OrderOutOfRange("closeWindow");
        }
    }

    /// @dev Checks every ask against the order, its agent and its signature, and takes its devices.
    /// @return members as the order's digest names them
    /// @return required the most that all of them can ever be paid
    function _takeAsks(Order calldata order, MatchedAsk[] calldata asks)
        private
        returns (Member[] memory members, uint256 required)
    {
        IOperators.Agent[] memory agents = _agentsOf(asks);
        bytes32 domainSeparator = _domainSeparatorV4();
        members = new Member[](asks.length);
        for (uint256 i; i < asks.length; ++i) {
            Ask calldata ask = asks[i].ask;
            uint32 devices = asks[i].devices;
            _checkAsk(i, ask, order);
            _checkAgent(i, ask, agents[i]);
            bytes32 digest = MessageHashUtils.toTypedDataHash(domainSeparator, LeaseHash.hash(ask));
            if (!_signedByKey(digest, asks[i].r, asks[i].vs, ask.agentKey)) {
                revert BadAskSignature(i, ask.agentKey);
            }
            _takeDevices(i, ask.agentKey, devices, ask.devices);
            members[i] = Member(digest, ask.operator, ask.agentKey, devices, ask.rate);
            required += Metering.largestChargeUp(devices, ask.rate, order.maxSeconds);
        }
    }

    function _agentsOf(MatchedAsk[] calldata asks) private view returns (IOperators.Agent[] memory) {
        address[] memory keys = new address[](asks.length);
        for (uint256 i; i < asks.length; ++i) {
            keys[i] = asks[i].ask.agentKey;
        }
        return operators.agents(keys);
    }

    function _checkAsk(uint256 i, Ask calldata ask, Order calldata order) private view {
        if (block.timestamp > ask.validUntil) revert AskExpired(i, ask.validUntil);
        if (ask.rate == 0) revert AskOutOfRange(i, "rate");
        if (ask.maxSeconds < order.maxSeconds) revert AskOutOfRange(i, "maxSeconds");
        if (ask.closeWindow > order.closeWindow) revert AskOutOfRange(i, "closeWindow");
        if (ask.prepay > order.prepay) revert AskOutOfRange(i, "prepay");
        if (ask.maxFeeBps < feeBps) revert AskOutOfRange(i, "maxFeeBps");
    }

    function _checkAgent(uint256 i, Ask calldata ask, IOperators.Agent memory agent) private pure {
        if (agent.operator == address(0) || agent.operator != ask.operator) {
            revert UnknownAgent(i, ask.agentKey, ask.operator);
        }
        if (agent.epoch != ask.epoch) revert AskCancelled(i, ask.epoch, agent.epoch);
    }

    function _takeDevices(uint256 i, address agentKey, uint256 wanted, uint256 offered) private {
        if (wanted == 0) revert AskOutOfRange(i, "devices");
        uint256 biased = _devicesInUse[agentKey];
        uint256 inUse = biased == 0 ? 0 : biased - 1;
        if (inUse + wanted > offered) revert AskOversold(i, inUse, wanted, offered);
        _devicesInUse[agentKey] = inUse + wanted + 1;
    }

    // ---------------------------------------------------------------- paying

    function _checkpoint(Settlement calldata row) private returns (bool) {
        (bool open_, bytes32 leaseId, Stored memory stored) = _find(row);
        if (!open_) return false;
        (bool valid, bool rises, uint96[] memory units) = _provenUnits(row, leaseId, stored);
        if (!valid || !rises) return false;
        _pay(row, leaseId, stored, units);
        stored.checkpointed = true;
        _leases[leaseId] = stored;
        _paidUnitsHash[leaseId] = LeaseHash.hashWords(units);
        return true;
    }

    function _close(Closing calldata row) private returns (bool) {
        (bool open_, bytes32 leaseId, Stored memory stored) = _find(row.settlement);
        if (!open_) return false;
        (bool valid,, uint96[] memory units) = _provenUnits(row.settlement, leaseId, stored);
        if (!valid || !_lowerToClaims(row, leaseId, stored.checkpointed, units)) return false;
        _pay(row.settlement, leaseId, stored, units);
        _end(row.settlement, leaseId, stored);
        return true;
    }

    function _finalize(Settlement calldata row) private returns (bool) {
        (bool open_, bytes32 leaseId, Stored memory stored) = _find(row);
        if (!open_ || block.timestamp <= _windowEnd(row.order, stored)) return false;
        (bool valid,, uint96[] memory units) = _provenUnits(row, leaseId, stored);
        if (!valid) return false;
        _pay(row, leaseId, stored, units);
        _end(row, leaseId, stored);
        return true;
    }

    /// @dev The lease that a row is about, if it is open and the row knows what was paid so far.
    function _find(Settlement calldata row)
        private
        view
        returns (bool found, bytes32 leaseId, Stored memory stored)
    {
        leaseId = hashOrder(row.order, row.members);
        stored = _leases[leaseId];
        if (stored.state != State.ACTIVE) return (false, leaseId, stored);
        found = stored.checkpointed
            ? LeaseHash.hashWords(row.paidUnits) == _paidUnitsHash[leaseId]
            : row.paidUnits.length == 0;
    }

    /// @dev What each member has been paid for, raised to what the voucher and the clock allow now. A member whose
    /// clock was set back keeps what it has. The signature is looked at only where it would raise something.
    function _provenUnits(Settlement calldata row, bytes32 leaseId, Stored memory stored)
        private
        view
        returns (bool valid, bool rises, uint96[] memory units)
    {
        Voucher calldata voucher = row.voucher;
        uint256 count = row.members.length;
        if (stored.checkpointed) units = row.paidUnits;
        else units = new uint96[](count);
        if (voucher.units.length == 0 && voucher.accrueFrom.length == 0) return (true, false, units);
        if (voucher.units.length != count || voucher.accrueFrom.length != count) return (false, false, units);

        uint256 until = Metering.payableUntil(
            block.timestamp, stored.openedAt, stored.stopAt, row.order.maxSeconds, row.order.prepay
        );
        for (uint256 i; i < count; ++i) {
            uint256 payableNow = Metering.payableUnits(
                voucher.units[i], row.members[i].devices, stored.openedAt, voucher.accrueFrom[i], until
            );
            if (payableNow > units[i]) {
                units[i] = uint96(payableNow);
                rises = true;
            }
        }
        valid = !rises
            || _signedByKey(
                _hashTypedDataV4(LeaseHash.hashVoucher(leaseId, voucher.units, voucher.accrueFrom)),
                voucher.r,
                voucher.vs,
                row.order.meterKey
            );
    }

    /// @dev Replaces `units` by the claims, if every agent signed its own and each lies between paid and proven.
    function _lowerToClaims(Closing calldata row, bytes32 leaseId, bool checkpointed, uint96[] memory units)
        private
        view
        returns (bool)
    {
        uint256 count = units.length;
        if (row.claimed.length != count || row.r.length != count || row.vs.length != count) return false;
        bytes32 domainSeparator = _domainSeparatorV4();
        for (uint256 i; i < count; ++i) {
            uint96 claimed = row.claimed[i];
            uint256 paid = checkpointed ? row.settlement.paidUnits[i] : 0;
            if (claimed < paid || claimed > units[i]) return false;
            units[i] = claimed;
            bytes32 digest =
                MessageHashUtils.toTypedDataHash(domainSeparator, LeaseHash.hashClose(leaseId, claimed));
            if (!_signedByKey(digest, row.r[i], row.vs[i], row.settlement.members[i].agentKey)) return false;
        }
        return true;
    }

    /// @dev Credits what `units` add to what was paid before, and raises `stored.charged` (in memory only).
    function _pay(Settlement calldata row, bytes32 leaseId, Stored memory stored, uint96[] memory units) private {
        uint256 charged;
        uint256 fees;
        for (uint256 i; i < units.length; ++i) {
            uint256 paidUnits = stored.checkpointed ? row.paidUnits[i] : 0;
            if (units[i] == paidUnits) continue;
            Member calldata member = row.members[i];
            uint256 before = Metering.chargeDown(paidUnits, member.rate);
            uint256 afterwards = Metering.chargeDown(units[i], member.rate);
            uint256 fee =
                Metering.feeDown(afterwards, stored.feeBps) - Metering.feeDown(before, stored.feeBps);
            charged += afterwards - before;
            fees += fee;
            _credit(member.operator, afterwards - before - fee);
        }
        if (charged == 0) return;
        if (fees != 0) _credit(treasury, fees);
        stored.charged += uint96(charged);
        emit Paid(leaseId, units, stored.charged);
    }

    /// @dev Ends a lease: devices are free again and the renter gets back what was not charged.
    function _end(Settlement calldata row, bytes32 leaseId, Stored memory stored) private {
        if (stored.checkpointed) delete _paidUnitsHash[leaseId];
        stored.state = State.CLOSED;
        stored.checkpointed = false;
        _leases[leaseId] = stored;
        for (uint256 i; i < row.members.length; ++i) {
            _devicesInUse[row.members[i].agentKey] -= row.members[i].devices;
        }
        uint256 refund = row.order.deposit - stored.charged;
        emit Closed(leaseId, stored.charged, refund);
        if (refund != 0 && !token.trySafeTransfer(row.order.renter, refund)) {
            _credit(row.order.renter, refund);
            emit Deposited(row.order.renter, refund);
        }
    }

    /// @dev The last second of the time that operators have after a lease stopped or ended.
    function _windowEnd(Order calldata order, Stored memory stored) private pure returns (uint256) {
        uint256 end = uint256(stored.openedAt) + order.maxSeconds;
        if (stored.stopAt != 0 && stored.stopAt < end) end = stored.stopAt;
        return end + order.closeWindow;
    }

    // ---------------------------------------------------------------- money and signatures

    function _credit(address owner, uint256 amount) private {
        Balance storage balance = _balances[owner];
        balance.amount += uint240(amount);
        balance.touched = true;
    }

    function _debit(address owner, uint256 amount) private {
        Balance storage balance = _balances[owner];
        if (balance.amount < amount) revert InsufficientBalance(owner, balance.amount, amount);
        balance.amount -= uint240(amount);
    }

    function _pull(address from, uint256 amount) private {
        uint256 balanceBefore = token.balanceOf(address(this));
        token.safeTransferFrom(from, address(this), amount);
        _requireReceived(balanceBefore, amount);
    }

    function _requireReceived(uint256 balanceBefore, uint256 amount) private view {
        uint256 balanceAfter = token.balanceOf(address(this));
        uint256 received = balanceAfter > balanceBefore ? balanceAfter - balanceBefore : 0;
        if (received != amount) revert TokenNotExact(received, amount);
    }

    function _requireRenter(Order calldata order) private view {
        if (msg.sender != order.renter) revert NotRenter(msg.sender, order.renter);
    }

    /// @dev Plain keys only: what an ERC-1271 wallet says can change after the service was delivered.
    function _signedByKey(bytes32 digest, bytes32 r, bytes32 vs, address key) private pure returns (bool) {
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecover(digest, r, vs);
        return failure == ECDSA.RecoverError.NoError && signer == key;
    }

    /// @dev ECDSA first: an account with EIP-7702 code still has its key.
    function _signedByWallet(bytes32 digest, bytes calldata signature, address wallet)
        private
        view
        returns (bool)
    {
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        if (failure == ECDSA.RecoverError.NoError && signer == wallet) return true;
        return wallet.code.length != 0
            && SignatureChecker.isValidERC1271SignatureNowCalldata(wallet, digest, signature);
    }
}
