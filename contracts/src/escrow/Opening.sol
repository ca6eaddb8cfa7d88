// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC3009} from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {ILeaseEscrow} from "../interfaces/ILeaseEscrow.sol";
import {IOperators} from "../interfaces/IOperators.sol";
import {AgentReader} from "../libraries/AgentReader.sol";
import {AskReader} from "../libraries/AskReader.sol";
import {LeaseHash} from "../libraries/LeaseHash.sol";
import {Metering} from "../libraries/Metering.sol";
import {OpenedLog} from "../libraries/OpenedLog.sol";
import {Words} from "../libraries/Words.sol";
import {Balances} from "./Balances.sol";
import {Leases} from "./Leases.sol";

/// @title Opening a lease: every ask is checked, its devices taken, and the deposit pulled
abstract contract Opening is Balances, Leases {
    using Words for MatchedAsk[];

    uint256 public constant MAX_FEE_BPS = 50;
    uint256 public constant MAX_PREPAY = 60;
    uint256 public constant MIN_CLOSE_WINDOW = 15 minutes;
    uint256 public constant MAX_CLOSE_WINDOW = 7 days;
    /// @notice Members of one lease. Closing for 128 operators that were never paid before costs 5M gas: a third of
    /// the 2^24 that EIP-7825 allows a transaction, so that leases stay closable if new storage gets thrice as dear.
    uint256 public constant MAX_MEMBERS = 128;

    /// @dev What every ask has to allow, and the domain that it is signed for.
    struct Limits {
        uint256 maxSeconds;
        uint256 closeWindow;
        uint256 prepay;
        uint256 feeBps;
        bytes32 domainSeparator;
    }

    IOperators public immutable operators;
    uint16 public immutable feeBps;

    constructor(IOperators operators_, uint16 feeBps_) {
        if (feeBps_ > MAX_FEE_BPS) revert FeeAboveMaximum(feeBps_, MAX_FEE_BPS);
        operators = operators_;
        feeBps = feeBps_;
    }

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
        IERC20Permit permitted = IERC20Permit(address(token));
        // A permit is public once sent: somebody may have used it first. The allowance decides, in `_pull`.
        try permitted.permit(order.renter, address(this), order.deposit, deadline, v, r, s) {} catch {}
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
        IERC3009 authorized = IERC3009(address(token));
        authorized.receiveWithAuthorization(
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

    function _requireRenter(Order calldata order) private view {
        if (msg.sender != order.renter) revert NotRenter(msg.sender, order.renter);
    }

    function _open(Order calldata order, MatchedAsk[] calldata asks) private returns (bytes32 leaseId) {
        _checkOrder(order, asks.length);
        uint256 members = OpenedLog.reserve(asks.length);
        uint256 required = _takeAsks(order, asks, members);
        if (order.deposit < required) revert DepositTooSmall(order.deposit, required);

        bytes32 membersHash = LeaseHash.hashMembers(members, asks.length);
        leaseId = _hashTypedDataV4(LeaseHash.hashOrder(order, membersHash));
        if (_leases[leaseId].state != State.NONE) revert AlreadyOpened(leaseId);
        _leases[leaseId] = Stored({
            state: State.ACTIVE,
            checkpointed: false,
            // forge-lint: disable-next-line(unsafe-typecast)
            openedAt: uint40(block.timestamp),
            stopAt: 0,
            feeBps: feeBps,
            charged: 0
        });
        OpenedLog.emitOpened(leaseId, order, members, asks.length);
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
    /// @param members where the members are written, as the order's digest names them
    /// @return required the most that all of them can ever be paid
    function _takeAsks(Order calldata order, MatchedAsk[] calldata asks, uint256 members)
        private
        returns (uint256 required)
    {
        Limits memory limits =
            Limits(order.maxSeconds, order.closeWindow, order.prepay, feeBps, _domainSeparatorV4());
        uint256 agents = AgentReader.read(operators, asks);
        Ask memory ask;
        for (uint256 i; i < asks.length; ++i) {
            MatchedAsk calldata matched = asks.at(i);
            AskReader.read(matched, ask);
            _checkAsk(i, ask, limits);
            _checkAgent(i, ask, AgentReader.at(agents, i));
            Member memory member = OpenedLog.at(members, i);
            member.ask = MessageHashUtils.toTypedDataHash(limits.domainSeparator, LeaseHash.hashAsk(ask));
            member.operator = ask.operator;
            member.agentKey = ask.agentKey;
            member.devices = matched.devices;
            member.rate = ask.rate;
            if (!_signedByKey(member.ask, matched.r, matched.vs, member.agentKey)) {
                revert BadAskSignature(i, ask.agentKey);
            }
            _takeDevices(i, member.agentKey, member.devices, ask.devices);
            required += Metering.largestChargeUp(member.devices, member.rate, limits.maxSeconds);
        }
    }

    function _checkAsk(uint256 i, Ask memory ask, Limits memory limits) private view {
        if (block.timestamp > ask.validUntil) revert AskExpired(i, ask.validUntil);
        if (ask.rate == 0) revert AskOutOfRange(i, "rate");
        if (ask.maxSeconds < limits.maxSeconds) revert AskOutOfRange(i, "maxSeconds");
        if (ask.closeWindow > limits.closeWindow) revert AskOutOfRange(i, "closeWindow");
        if (ask.prepay > limits.prepay) revert AskOutOfRange(i, "prepay");
        if (ask.maxFeeBps < limits.feeBps) revert AskOutOfRange(i, "maxFeeBps");
    }

    function _checkAgent(uint256 i, Ask memory ask, IOperators.Agent memory agent) private pure {
        if (agent.operator == address(0) || agent.operator != ask.operator) {
            revert UnknownAgent(i, ask.agentKey, ask.operator);
        }
        if (agent.epoch != ask.epoch) revert AskCancelled(i, ask.epoch, agent.epoch);
    }

    function _takeDevices(uint256 i, address agentKey, uint256 wanted, uint256 offered) private {
        if (wanted == 0) revert AskOutOfRange(i, "devices");
        uint256 biased = _devicesInUsePlusOne[agentKey];
        uint256 inUse = biased == 0 ? 0 : biased - 1;
        if (inUse + wanted > offered) revert AskOversold(i, inUse, wanted, offered);
        _devicesInUsePlusOne[agentKey] = inUse + wanted + 1;
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
