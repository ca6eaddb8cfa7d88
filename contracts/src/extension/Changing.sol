// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";
import {ILeaseExtension} from "../interfaces/ILeaseExtension.sol";
import {LeaseHash} from "../libraries/LeaseHash.sol";
import {Metering} from "../libraries/Metering.sol";
import {OpenedLog} from "../libraries/OpenedLog.sol";
import {Taking} from "../escrow/Taking.sol";
import {Rosters} from "./Rosters.sol";
import {ThroughEscrow} from "./ThroughEscrow.sol";

/// @title Changing a lease while it runs: members, length, deposit
/// @dev The rule that keeps every operator whole: whatever is changed, the deposit covers all that every member can
/// still be paid. So a change may move money between members, but never from under one.
abstract contract Changing is ILeaseExtension, Taking, Rosters, ThroughEscrow {
    /// @dev A change under way.
    struct Draft {
        Found found;
        Roster roster;
        Member[] joining;
        uint256 end; // last second that anything can be charged for
        uint256 owed; // the most that all members can ever be paid
        uint256 missing; // what has to be paid in
        uint256 freed; // what is to be refunded; one of both is zero
        bytes32 digest; // what the renter signs
    }

    /// @inheritdoc ILeaseExtension
    function change(
        Settlement calldata row,
        Change calldata change_,
        MatchedAsk[] calldata added,
        Ask[] calldata asks,
        bytes calldata signature
    ) external throughEscrow nonReentrant {
        Draft memory draft = _change(row, change_, added, asks);
        address key = row.order.session;
        if (key != address(0) && (msg.sender == key || _signedByKey(draft.digest, signature, key))) {
            _spend(row.order.renter, key, added, draft.missing);
        } else {
            if (msg.sender != row.order.renter && !_signedByWallet(draft.digest, signature, row.order.renter))
            {
                revert BadOrderSignature(row.order.renter);
            }
            _countSpent(row.order, draft.missing);
        }
        if (msg.sender != row.order.renter && msg.sender != key) _makeOnce(draft, change_.before);
        _debit(row.order.renter, draft.missing);
        _refund(row.order, draft.freed);
    }

    /// @inheritdoc ILeaseExtension
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
    ) external throughEscrow nonReentrant {
        Draft memory draft = _change(row, change_, added, asks);
        if (draft.missing == 0) revert ChangeOutOfRange("deposit");
        _countSpent(row.order, draft.missing);
        Authorization memory authorization = Authorization(validAfter, validBefore, v, r, s);
        _pullAuthorized(row.order.renter, draft.missing, draft.digest, authorization);
    }

    /// @dev Changes the lease; its callers see to the renter's consent and to the money.
    function _change(
        Settlement calldata row,
        Change calldata change_,
        MatchedAsk[] calldata added,
        Ask[] calldata asks
    ) private returns (Draft memory draft) {
        (bool known, Found memory found) = _find(row);
        if (found.lease.state != State.ACTIVE) revert NotActive(found.leaseId);
        if (!known || change_.before != _rosterHash[found.leaseId]) revert StaleTerms(found.leaseId);
        if (block.timestamp > change_.changeBy) revert SignatureExpired(change_.changeBy);
        (draft.found, draft.roster) = (found, _rosterOf(row, found));

        uint256 stopAt = found.lease.stopAt;
        draft.end = uint256(found.lease.openedAt) + change_.maxSeconds;
        if (stopAt == 0) {
            _prolong(row, draft, change_, asks);
            _dismiss(draft.roster, change_.dismissed, row.order.prepay);
        } else if (
            added.length != 0 || change_.dismissed != 0 || change_.maxSeconds != draft.roster.maxSeconds
        ) {
            revert AlreadyStopping(found.leaseId, found.lease.stopAt);
        } else if (stopAt + row.order.prepay < draft.end) {
            draft.end = stopAt + row.order.prepay;
        }
        _countOwed(row, draft);
        _join(row, draft, added);
        _setDeposit(draft, change_.deposit);
        _storeRoster(found, draft.roster, _hashAll(row.members, draft.joining));
        emit Changed(found.leaseId, draft.roster, draft.joining);
        bytes32 addedHash = _hashAll(row.members[:0], draft.joining);
        draft.digest = _hashTypedDataV4(LeaseHash.hashChange(found.leaseId, change_, addedHash));
    }

    /// @dev See `_madeChanges`. The first change of a lease cannot come again: after it, `before` is never zero.
    function _makeOnce(Draft memory draft, bytes32 before) private {
        if (before == 0) return;
        if (_madeChanges[draft.digest]) revert StaleTerms(draft.found.leaseId);
        _madeChanges[draft.digest] = true;
    }

    function _setDeposit(Draft memory draft, uint96 deposit_) private pure {
        if (deposit_ < draft.owed) revert DepositTooSmall(deposit_, draft.owed);
        uint96 before = draft.roster.deposit;
        if (deposit_ > before) draft.missing = deposit_ - before;
        else draft.freed = before - deposit_;
        draft.roster.deposit = deposit_;
    }

    /// @dev Sets the new length, if every member that serves to the end allows it.
    function _prolong(
        Settlement calldata row,
        Draft memory draft,
        Change calldata change_,
        Ask[] calldata asks
    ) private view {
        uint256 before = draft.roster.maxSeconds;
        if (change_.maxSeconds < before) revert ChangeOutOfRange("maxSeconds");
        if (change_.maxSeconds == before) return;
        if (block.timestamp >= uint256(draft.found.lease.openedAt) + before) {
            revert ChangeOutOfRange("maxSeconds");
        }
        draft.roster.maxSeconds = change_.maxSeconds;
        uint256 next;
        for (uint256 i; i < row.members.length; ++i) {
            if (draft.roster.until[i] != 0 || change_.dismissed >> i & 1 == 1) continue;
            if (next == asks.length) revert ChangeOutOfRange("asks");
            _requireAllowed(row, draft, i, asks[next++]);
        }
        if (next != asks.length) revert ChangeOutOfRange("asks");
    }

    /// @dev The ask is the one that the member was taken with (its digest says so): no signature is needed again.
    function _requireAllowed(Settlement calldata row, Draft memory draft, uint256 i, Ask memory ask)
        private
        view
    {
        Limits memory limits = _limits(row.order, draft.found.lease.feeBps, draft.roster.maxSeconds);
        bytes32 digest = MessageHashUtils.toTypedDataHash(limits.domainSeparator, LeaseHash.hashAsk(ask));
        if (digest != row.members[i].ask) revert ChangeOutOfRange("asks");
        uint256 from = draft.roster.from[i];
        if (from != 0) limits.maxSeconds = draft.end - from;
        _checkAsk(i, ask, limits);
        _checkAgent(i, ask, operators.agent(ask.agentKey));
    }

    function _dismiss(Roster memory roster, uint256 dismissed, uint256 prepay) private view {
        uint256 count = roster.until.length;
        if (dismissed >> count != 0) revert ChangeOutOfRange("dismissed");
        for (uint256 i; i < count; ++i) {
            if (dismissed >> i & 1 == 0) continue;
            if (roster.until[i] != 0) revert ChangeOutOfRange("dismissed");
            // forge-lint: disable-next-line(unsafe-typecast)
            roster.until[i] = uint40(block.timestamp + prepay);
        }
    }

    /// @dev The most that the members known so far can ever have been paid.
    function _countOwed(Settlement calldata row, Draft memory draft) private pure {
        for (uint256 i; i < row.members.length; ++i) {
            Member calldata member = row.members[i];
            (uint256 from, uint256 until) = (draft.roster.from[i], draft.roster.until[i]);
            if (until == _LEFT) {
                draft.owed += Metering.chargeDown(draft.found.paid[i], member.rate);
                continue;
            }
            if (from == 0) from = draft.found.lease.openedAt;
            if (until == 0 || until > draft.end) until = draft.end;
            uint256 seconds_ = until > from ? until - from : 0;
            draft.owed += Metering.largestChargeUp(member.devices, member.rate, seconds_);
        }
    }

    /// @dev Takes the added asks into the roster: their clocks start now.
    function _join(Settlement calldata row, Draft memory draft, MatchedAsk[] calldata added) private {
        if (added.length == 0) return;
        uint256 before = row.members.length;
        uint256 count = before + added.length;
        if (count > MAX_MEMBERS) revert TooManyMembers(count, MAX_MEMBERS);
        if (draft.end <= block.timestamp) revert ChangeOutOfRange("maxSeconds");

        uint256 secondsLeft = draft.end - block.timestamp;
        uint256 members = OpenedLog.reserve(added.length);
        Limits memory limits = _limits(row.order, draft.found.lease.feeBps, secondsLeft);
        draft.owed += _takeAsks(added, limits, members, secondsLeft);
        draft.joining = new Member[](added.length);
        for (uint256 i; i < added.length; ++i) {
            draft.joining[i] = OpenedLog.at(members, i);
        }
        // forge-lint: disable-next-line(unsafe-typecast)
        draft.roster.from = _lengthened(draft.roster.from, count, uint40(block.timestamp));
        draft.roster.until = _lengthened(draft.roster.until, count, 0);
    }

    function _lengthened(uint40[] memory array, uint256 count, uint40 filler)
        private
        pure
        returns (uint40[] memory longer)
    {
        longer = new uint40[](count);
        for (uint256 i; i < count; ++i) {
            longer[i] = i < array.length ? array[i] : filler;
        }
    }

    function _hashAll(Member[] calldata members, Member[] memory joining) private pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](members.length + joining.length);
        for (uint256 i; i < hashes.length; ++i) {
            Member memory member = i < members.length ? members[i] : joining[i - members.length];
            hashes[i] = keccak256(abi.encode(LeaseHash.MEMBER_TYPEHASH, member));
        }
        return keccak256(abi.encodePacked(hashes));
    }

    /// @dev A lease of a session refunds to it: what goes into the lease counts as spent, whoever signs.
    function _countSpent(Order calldata order, uint256 amount) private {
        if (order.session == address(0)) return;
        Session storage session_ = _sessions[order.renter][order.session];
        uint256 spent = session_.spent + amount;
        if (spent > type(uint96).max) revert SessionLimit("spend", spent, type(uint96).max);
        // forge-lint: disable-next-line(unsafe-typecast)
        session_.spent = uint96(spent);
    }
}
