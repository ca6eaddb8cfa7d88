// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseExtension} from "../../src/interfaces/ILeaseExtension.sol";
import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {LeaseModel} from "./LeaseModel.sol";
import {Opens} from "./Opens.sol";

/// @notice Changes leases while they run: members added and dismissed, length, deposit; by renter or session key.
abstract contract Changes is Opens {
    using LeaseModel for LeaseModel.Lease;

    enum Payer {
        RENTER,
        RENTER_SIGNED,
        SESSION,
        SESSION_SIGNED,
        AUTHORIZED
    }

    /// @dev An attempt to change: what is asked for, what the lease would be after it, whether it should do.
    struct Draft {
        bytes32 id;
        uint256 seed;
        Row row;
        ILeaseTypes.Change change;
        ILeaseTypes.MatchedAsk[] added;
        uint256[] agents;
        ILeaseTypes.Ask[] asks;
        LeaseModel.Lease next;
        Payer payer;
        uint256 missing;
        uint256 freed;
        bool right;
    }

    mapping(bytes32 digest => bool) private _made; // by a signature

    function change(uint256 which, uint256 seed) external atItsTime {
        if (_ids.length == 0) return;
        Draft memory d;
        LeaseModel.Lease memory lease;
        (d.id, lease) = _pick(which);
        d.seed = _random(seed, 200);
        d.row = _randomRow(d.id, lease, seed);
        d.next = load(d.id);
        d.right = lease.phase == LeaseModel.Phase.OPEN && d.row.known;
        _draft(d, lease);
        d.payer = Payer(_random(d.seed, 1) % 5);
        if (lease.order.session != address(0) && _random(d.seed, 4) % 2 == 0) d.payer = Payer.SESSION;
        bytes32 digest = digests.hashChange(d.id, d.change, membersOf(d.added));
        bool bySignature = d.payer == Payer.RENTER_SIGNED || d.payer == Payer.SESSION_SIGNED;
        bool expected = d.right && _mayPay(d) && !(bySignature && _made[digest]);
        uint256 wallet = token.balanceOf(lease.order.renter);
        bool done = _try(d);
        require(done == expected, "change");
        _count(done, "changed", "unchanged");
        if (!done) return;
        if (bySignature && d.change.before != 0) _made[digest] = true;
        _note(d, lease);
        _settle(d, wallet);
        // Whoever calls itself may change nothing as often as it likes.
        bool isSame = escrow.rosterHash(d.id) == d.change.before;
        if (bySignature || !isSame) require(!_try(d), "14: a change that was used");
    }

    function _settle(Draft memory d, uint256 wallet) private {
        LeaseModel.Lease memory next = d.next;
        address renter_ = next.order.renter;
        if (d.payer == Payer.AUTHORIZED) wallet -= d.missing;
        else free[renter_] -= d.missing;
        if (next.order.session != address(0)) _sessions[renter_][next.order.session].spent += d.missing;
        next.paidIn += d.missing;
        if (d.freed != 0) _refund(next, d.freed, wallet);
        for (uint256 i; i < d.added.length; ++i) {
            devicesInUse[d.agents[i]] += d.added[i].devices;
        }
        next.changed = true;
        _save(d.id, next);
    }

    function _note(Draft memory d, LeaseModel.Lease memory lease) private {
        if (d.added.length != 0) ++reached["added"];
        if (d.change.dismissed != 0) ++reached["dismissed"];
        if (d.change.maxSeconds != lease.roster.maxSeconds) ++reached["prolonged"];
        if (d.missing != 0) ++reached["deposit raised"];
        if (d.freed != 0) ++reached["deposit lowered"];
        if (d.payer == Payer.AUTHORIZED) ++reached["change authorized"];
        if (d.payer == Payer.SESSION || d.payer == Payer.SESSION_SIGNED) {
            ++reached["changed by a session key"];
        }
    }

    // ---------------------------------------------------------------- what is asked for

    /// @dev Fills what is asked for and what would come of it; lowers `right` where the interface forbids it.
    function _draft(Draft memory d, LeaseModel.Lease memory lease) private view {
        uint256 random = _random(d.seed, 2);
        ILeaseTypes.Change memory c = d.change;
        c.before = escrow.rosterHash(d.id);
        if (random % 23 == 0) (c.before, d.right) = (keccak256("another"), false);
        c.changeBy = uint40(_now);
        if (random % 29 == 0) (c.changeBy, d.right) = (uint40(_now - 1), false);
        c.maxSeconds = lease.roster.maxSeconds;
        random >>= 16;
        bool stopped = lease.stopAt != 0;
        if (random % 3 == 0 && (!stopped || random % 5 == 0)) _prolong(d, lease, random >> 8);
        random >>= 64;
        if (random % 3 == 0 && (!stopped || random % 5 == 0)) _dismiss(d, lease, random >> 8);
        random >>= 64;
        if (random % 3 == 0 && (!stopped || random % 5 == 0)) _join(d, lease, random >> 8);
        _setDeposit(d, lease, _random(d.seed, 3));
    }

    /// @dev Longer, or shorter, with the asks of those that serve to the end; sometimes one ask too few, or too many.
    function _prolong(Draft memory d, LeaseModel.Lease memory lease, uint256 random) private view {
        uint256 before = lease.roster.maxSeconds;
        uint256 wanted =
            random % 11 == 0 ? bound(random >> 8, 1, before) : before + bound(random >> 8, 1, 2 days);
        d.change.maxSeconds = uint40(wanted);
        d.next.roster.maxSeconds = uint40(wanted);
        if (wanted == before) return;
        if (lease.stopAt != 0 || wanted < before || _now >= lease.endOf()) d.right = false;
    }

    /// @dev Only members that are still to serve to the end can be dismissed.
    function _dismiss(Draft memory d, LeaseModel.Lease memory lease, uint256 random) private view {
        uint256 count = lease.members.length;
        uint256 mask = random % (1 << count);
        if (random % 13 == 0) mask |= 1 << count;
        d.change.dismissed = mask;
        if (mask == 0) return;
        if (lease.stopAt != 0 || mask >> count != 0) d.right = false;
        for (uint256 i; i < count; ++i) {
            if (mask >> i & 1 == 0) continue;
            if (lease.roster.until[i] != 0) d.right = false;
            else d.next.roster.until[i] = uint40(_now + lease.order.prepay);
        }
    }

    function _join(Draft memory d, LeaseModel.Lease memory lease, uint256 random) private view {
        if (lease.members.length > 6) return;
        (d.added, d.agents) = _randomAsks(1 + random % 2, random);
        LeaseModel.Lease memory next = d.next;
        uint256 end = next.endOf();
        if (lease.stopAt != 0 || end <= _now) {
            d.right = false;
            return;
        }
        if (!_canTake(d.added, d.agents, end - _now)) d.right = false;
        uint256 known = lease.members.length;
        uint256 count = known + d.added.length;
        _lengthen(next, count);
        ILeaseTypes.Member[] memory joining = membersOf(d.added);
        for (uint256 i = known; i < count; ++i) {
            next.members[i] = joining[i - known];
            next.asks[i] = d.added[i - known].ask;
            next.agents[i] = d.agents[i - known];
            next.roster.from[i] = uint40(_now);
        }
    }

    function _lengthen(LeaseModel.Lease memory next, uint256 count) private pure {
        LeaseModel.Lease memory old = abi.decode(abi.encode(next), (LeaseModel.Lease));
        next.members = new ILeaseTypes.Member[](count);
        next.asks = new ILeaseTypes.Ask[](count);
        next.agents = new uint256[](count);
        next.paid = new uint96[](count);
        (next.roster.from, next.roster.until) = (new uint40[](count), new uint40[](count));
        for (uint256 i; i < old.members.length; ++i) {
            (next.members[i], next.asks[i], next.agents[i]) = (old.members[i], old.asks[i], old.agents[i]);
            (next.paid[i], next.roster.from[i], next.roster.until[i]) =
            (old.paid[i], old.roster.from[i], old.roster.until[i]);
        }
    }

    /// @dev Collects the asks that a longer lease needs, then puts the deposit near what is owed.
    function _setDeposit(Draft memory d, LeaseModel.Lease memory lease, uint256 random) private view {
        if (d.change.maxSeconds > lease.roster.maxSeconds) _collectAsks(d, lease, random);
        uint256 owed = d.next.owed();
        uint256 wanted = owed;
        if (random % 5 == 1) wanted = owed + (random >> 8) % 1e6;
        if (random % 5 == 2 && owed != 0) wanted = owed - 1;
        if (random % 5 > 2 && lease.roster.deposit > owed) wanted = lease.roster.deposit;
        // Whether a deposit may still grow after a stop is nobody's question: nothing more can be charged then.
        if (lease.stopAt != 0 && wanted > lease.roster.deposit) wanted = lease.roster.deposit;
        if (wanted < owed) d.right = false;
        d.change.deposit = uint96(wanted);
        d.next.roster.deposit = uint96(wanted);
        if (wanted > lease.roster.deposit) d.missing = wanted - lease.roster.deposit;
        else d.freed = lease.roster.deposit - wanted;
    }

    function _collectAsks(Draft memory d, LeaseModel.Lease memory lease, uint256 random) private view {
        uint256 count = lease.members.length;
        uint256 end = d.next.endOf();
        ILeaseTypes.Ask[] memory asks = new ILeaseTypes.Ask[](count + 1);
        uint256 serving;
        for (uint256 i; i < count; ++i) {
            if (d.next.roster.until[i] != 0) continue;
            ILeaseTypes.Ask memory ask = lease.asks[i];
            uint256 from = lease.roster.from[i] == 0 ? lease.openedAt : lease.roster.from[i];
            if (!_isGood(ask, end - from)) d.right = false;
            asks[serving++] = ask;
        }
        if (random % 17 == 3) {
            (asks[serving++], d.right) = (lease.asks[0], false);
        } else if (random % 17 == 5 && serving != 0) {
            (serving, d.right) = (serving - 1, false);
        } else if (random % 17 == 7 && serving != 0) {
            ILeaseTypes.Ask memory twisted = abi.decode(abi.encode(asks[0]), (ILeaseTypes.Ask));
            ++twisted.maxSeconds;
            (asks[0], d.right) = (twisted, false);
        }
        d.asks = new ILeaseTypes.Ask[](serving);
        for (uint256 i; i < serving; ++i) {
            d.asks[i] = asks[i];
        }
    }

    // ---------------------------------------------------------------- who pays

    function _mayPay(Draft memory d) private view returns (bool) {
        ILeaseTypes.Order memory order = d.next.order;
        if (d.payer == Payer.AUTHORIZED) return d.missing != 0;
        if (d.missing > free[order.renter]) return false;
        if (d.payer == Payer.RENTER || d.payer == Payer.RENTER_SIGNED) return true;
        return order.session != address(0) && _sessionMay(order.renter, order.session, d.added, d.missing);
    }

    function _try(Draft memory d) private returns (bool done) {
        ILeaseTypes.Order memory order = d.next.order;
        bytes32 digest = digests.hashChange(d.id, d.change, membersOf(d.added));
        if (d.payer == Payer.AUTHORIZED) return _tryAuthorized(d, digest);
        bytes memory signature;
        address sender = relayer;
        if (d.payer == Payer.RENTER) sender = order.renter;
        else if (d.payer == Payer.RENTER_SIGNED) signature = sign(secretOf(order.renter), digest);
        else if (d.payer == Payer.SESSION_SIGNED) signature = sign(sessionSecretOf(order.session), digest);
        else if (order.session != address(0)) sender = order.session;
        vm.prank(sender);
        (done,) = address(escrow)
            .call(
                abi.encodeCall(
                    ILeaseExtension.change, (d.row.settlement, d.change, d.added, d.asks, signature)
                )
            );
    }

    function _tryAuthorized(Draft memory d, bytes32 digest) private returns (bool done) {
        Deal memory paying;
        paying.order.renter = d.next.order.renter;
        paying.order.deposit = uint96(d.missing);
        (uint8 v, bytes32 r, bytes32 s) = authorization(paying, secretOf(paying.order.renter), digest);
        vm.prank(relayer);
        (done,) = address(escrow)
            .call(
                abi.encodeCall(
                    ILeaseExtension.changeWithAuthorization,
                    (d.row.settlement, d.change, d.added, d.asks, 0, block.timestamp + 1 hours, v, r, s)
                )
            );
    }
}
