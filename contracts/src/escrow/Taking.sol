// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {AgentReader} from "../libraries/AgentReader.sol";
import {AskReader} from "../libraries/AskReader.sol";
import {IOperators} from "../interfaces/IOperators.sol";
import {LeaseHash} from "../libraries/LeaseHash.sol";
import {Metering} from "../libraries/Metering.sol";
import {OpenedLog} from "../libraries/OpenedLog.sol";
import {Words} from "../libraries/Words.sol";
import {Balances} from "./Balances.sol";

/// @title Turning asks into members, and orders into leases
abstract contract Taking is Balances {
    using Words for MatchedAsk[];

    /// @dev What every ask has to allow, and the domain that it is signed for.
    struct Limits {
        uint256 maxSeconds;
        uint256 closeWindow;
        uint256 prepay;
        uint256 feeBps;
        bytes32 domainSeparator;
    }

    /// @dev Opens a lease that is not paid for yet: its callers see to that, and to the renter's consent.
    function _open(Order calldata order, MatchedAsk[] calldata asks)
        internal
        returns (bytes32 leaseId, bytes32 membersHash)
    {
        _checkOrder(order, asks.length);
        uint256 members = OpenedLog.reserve(asks.length);
        uint256 required =
            _takeAsks(asks, _limits(order, feeBps, order.maxSeconds), members, order.maxSeconds);
        if (order.deposit < required) revert DepositTooSmall(order.deposit, required);

        membersHash = LeaseHash.hashMembers(members, asks.length);
        leaseId = _leaseId(order, membersHash);
        if (_leases[leaseId].state != State.NONE) revert AlreadyOpened(leaseId);
        _leases[leaseId] = Lease({
            state: State.ACTIVE,
            changed: false,
            // forge-lint: disable-next-line(unsafe-typecast)
            openedAt: uint40(block.timestamp),
            stopAt: 0,
            checkpointedAt: 0,
            feeBps: feeBps,
            charged: 0
        });
        OpenedLog.emitOpened(leaseId, order, members, asks.length);
    }

    /// @dev For ways to open that know the renter alone.
    function _requireNoSession(Order calldata order) internal pure {
        if (order.session != address(0)) revert OrderOutOfRange("session");
    }

    function _requireRenter(Order calldata order) internal view {
        if (msg.sender != order.renter) revert NotRenter(msg.sender, order.renter);
    }

    function _limits(Order calldata order, uint256 leaseFeeBps, uint256 maxSeconds)
        internal
        view
        returns (Limits memory)
    {
        return Limits(maxSeconds, order.closeWindow, order.prepay, leaseFeeBps, _domainSeparatorV4());
    }

    /// @dev Checks every ask against the limits, its agent and its signature, and takes its devices.
    /// @param members where the members are written, as the order's digest names them
    /// @param chargedSeconds how long each can be charged for
    /// @return required the most that all of them can ever be paid
    function _takeAsks(
        MatchedAsk[] calldata asks,
        Limits memory limits,
        uint256 members,
        uint256 chargedSeconds
    ) internal returns (uint256 required) {
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
            required += Metering.largestChargeUp(member.devices, member.rate, chargedSeconds);
        }
    }

    function _checkAsk(uint256 i, Ask memory ask, Limits memory limits) internal view {
        if (block.timestamp > ask.validUntil) revert AskExpired(i, ask.validUntil);
        if (ask.rate == 0) revert AskOutOfRange(i, "rate");
        if (ask.maxSeconds < limits.maxSeconds) revert AskOutOfRange(i, "maxSeconds");
        if (ask.closeWindow > limits.closeWindow) revert AskOutOfRange(i, "closeWindow");
        if (ask.prepay > limits.prepay) revert AskOutOfRange(i, "prepay");
        if (ask.maxFeeBps < limits.feeBps) revert AskOutOfRange(i, "maxFeeBps");
    }

    function _checkAgent(uint256 i, Ask memory ask, IOperators.Agent memory agent) internal pure {
        if (agent.operator == address(0) || agent.operator != ask.operator) {
            revert UnknownAgent(i, ask.agentKey, ask.operator);
        }
        if (agent.epoch != ask.epoch) revert AskCancelled(i, ask.epoch, agent.epoch);
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

    function _takeDevices(uint256 i, address agentKey, uint256 wanted, uint256 offered) private {
        if (wanted == 0) revert AskOutOfRange(i, "devices");
        uint256 biased = _devicesInUsePlusOne[agentKey];
        uint256 inUse = biased == 0 ? 0 : biased - 1;
        if (inUse + wanted > offered) revert AskOversold(i, inUse, wanted, offered);
        _devicesInUsePlusOne[agentKey] = inUse + wanted + 1;
    }

    // ---------------------------------------------------------------- sessions

    /// @dev Whether the key may take these asks, and counts `amount` against what it may spend.
    function _spend(address renter, address key, MatchedAsk[] calldata asks, uint256 amount) internal {
        Session storage session_ = _sessions[renter][key];
        uint40 validUntil = session_.validUntil;
        if (block.timestamp > validUntil) revert SessionNotValid(renter, key, validUntil);
        uint256 spent = session_.spent + amount;
        if (spent > session_.spendLimit) revert SessionLimit("spend", spent, session_.spendLimit);
        // forge-lint: disable-next-line(unsafe-typecast)
        session_.spent = uint96(spent);
        (uint256 maxRate, uint256 devices) = (session_.maxRate, 0);
        for (uint256 i; i < asks.length; ++i) {
            MatchedAsk calldata matched = asks[i];
            if (matched.ask.rate > maxRate) revert SessionLimit("rate", matched.ask.rate, maxRate);
            devices += matched.devices;
        }
        if (devices > session_.maxDevices) revert SessionLimit("devices", devices, session_.maxDevices);
    }
}
