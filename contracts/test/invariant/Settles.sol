// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {LeaseModel} from "./LeaseModel.sol";
import {RandomRows} from "./RandomRows.sol";

/// @notice Pays, stops and ends leases, at any time and with rows of any kind.
abstract contract Settles is RandomRows {
    using LeaseModel for LeaseModel.Lease;

    function checkpoint(uint256 which, uint256 seed) external atItsTime {
        if (_ids.length == 0) return;
        (bytes32 id, LeaseModel.Lease memory lease) = _pick(which);
        Row memory row = _randomRow(id, lease, seed);
        bool expected = lease.phase == LeaseModel.Phase.OPEN && row.valid && row.rises;
        ILeaseTypes.Settlement[] memory rows = new ILeaseTypes.Settlement[](3);
        (rows[0], rows[1], rows[2]) =
        (_junk(row.settlement, seed), row.settlement, _junk(row.settlement, seed >> 8));
        vm.prank(relayer);
        require(escrow.checkpoint(rows) == (expected ? 1 : 0), "7, 11: checkpoint");
        _count(expected, "paid", "unpaid");
        if (!expected) return;
        if (!LeaseModel.equal(row.settlement.paidUnits, lease.record())) ++reached["front-run row paid"];
        _credit(lease, row.proven);
        (lease.lastUnits, lease.lastFrom) = (row.settlement.voucher.units, row.settlement.voucher.accrueFrom);
        _save(id, lease);
    }

    function close(uint256 which, uint256 seed) external atItsTime {
        if (_ids.length == 0) return;
        (bytes32 id, LeaseModel.Lease memory lease) = _pick(which);
        Row memory row = _randomRow(id, lease, seed);
        uint96[] memory claimed = new uint96[](row.proven.length);
        bool within = true;
        for (uint256 i; i < claimed.length; ++i) {
            uint256 random = _random(seed, 100 + i);
            claimed[i] = random % 11 == 0
                ? uint96(random >> 160)
                : uint96(bound(random >> 8, random % 5 == 0 ? 0 : lease.paid[i], row.proven[i]));
            if (claimed[i] > row.proven[i]) within = false;
        }
        bool signed = _random(seed, 60) % 7 != 3;
        (ILeaseTypes.Closing memory one, bool everySignature) =
            _closing(id, lease, row.settlement, claimed, signed);
        ILeaseTypes.Closing[] memory rows = new ILeaseTypes.Closing[](2);
        rows[1] = one;
        rows[0] = abi.decode(abi.encode(one), (ILeaseTypes.Closing));
        rows[0].settlement = _junk(one.settlement, seed);
        bool expected = lease.phase == LeaseModel.Phase.OPEN && row.valid && within && everySignature;
        uint256 wallet = token.balanceOf(lease.order.renter);
        vm.prank(relayer);
        require(escrow.close(rows) == (expected ? 1 : 0), "8, 11: close");
        _count(expected, "closed", "left open");
        if (!expected) return;
        for (uint256 i; i < claimed.length; ++i) {
            if (claimed[i] < lease.paid[i]) claimed[i] = lease.paid[i];
        }
        _credit(lease, claimed);
        _end(id, lease, wallet);
    }

    function finalize(uint256 which, uint256 seed) external atItsTime {
        if (_ids.length == 0) return;
        (bytes32 id, LeaseModel.Lease memory lease) = _pick(which);
        Row memory row = _randomRow(id, lease, seed);
        bool expected = lease.phase == LeaseModel.Phase.OPEN && row.valid && _now > lease.windowEnd();
        ILeaseTypes.Settlement[] memory rows = new ILeaseTypes.Settlement[](2);
        (rows[0], rows[1]) = (_junk(row.settlement, seed), row.settlement);
        uint256 wallet = token.balanceOf(lease.order.renter);
        vm.prank(relayer);
        require(escrow.finalize(rows) == (expected ? 1 : 0), "8, 11: finalize");
        _count(expected, "finalized", "early");
        if (!expected) return;
        _credit(lease, row.proven);
        _end(id, lease, wallet);
    }

    /// @notice One member that goes: with its signature, and between what was paid and what is proven.
    function leave(uint256 which, uint256 seed) external atItsTime {
        if (_ids.length == 0) return;
        (bytes32 id, LeaseModel.Lease memory lease) = _pick(which);
        Row memory row = _randomRow(id, lease, seed);
        uint256 member = _random(seed, 61) % (lease.members.length + (seed % 13 == 0 ? 1 : 0));
        ILeaseTypes.Leaving[] memory rows = new ILeaseTypes.Leaving[](2);
        bool expected;
        (rows[1], expected) = _leaving(id, lease, row, member, seed);
        rows[0] = abi.decode(abi.encode(rows[1]), (ILeaseTypes.Leaving));
        rows[0].settlement = _junk(rows[1].settlement, seed);
        vm.prank(relayer);
        require(escrow.leave(rows) == (expected ? 1 : 0), "8, 11: leave");
        _count(expected, "left", "stayed");
        if (!expected) return;
        uint96[] memory units = LeaseModel.first(lease.paid, lease.paid.length);
        if (rows[1].claimed > units[member]) units[member] = rows[1].claimed;
        _credit(lease, units);
        _leaveDevices(lease, member);
        (lease.changed, lease.roster.until[member]) = (true, uint40(LeaseModel.LEFT));
        _save(id, lease);
    }

    function _leaving(bytes32 id, LeaseModel.Lease memory lease, Row memory row, uint256 member, uint256 seed)
        private
        view
        returns (ILeaseTypes.Leaving memory leaving, bool expected)
    {
        uint256 random = _random(seed, 62);
        leaving.settlement = row.settlement;
        leaving.member = uint32(member);
        if (member >= lease.members.length) return (leaving, false);
        leaving.claimed =
            uint96(bound(random >> 8, random % 5 == 0 ? 0 : lease.paid[member], row.proven[member]));
        if (random % 11 == 0) leaving.claimed = uint96(random >> 160);
        bool signed = random % 7 != 3;
        (leaving.r, leaving.vs) =
            _signClose(id, member, leaving.claimed, signed ? agentSecret(lease.agents[member]) : METER_KEY);
        expected = lease.phase == LeaseModel.Phase.OPEN && row.valid && signed
            && lease.roster.until[member] != LeaseModel.LEFT && leaving.claimed <= row.proven[member];
    }

    function _signClose(bytes32 id, uint256 member, uint96 claimed, uint256 key)
        private
        view
        returns (bytes32 r, bytes32 vs)
    {
        return vm.signCompact(key, digests.hashClose(id, uint32(member), claimed));
    }

    /// @notice By renter, meter key or session key, itself or by signature; by nobody else; once.
    function stop(uint256 which, uint256 seed) external atItsTime {
        if (_ids.length == 0) return;
        (bytes32 id, LeaseModel.Lease memory lease) = _pick(which);
        ILeaseTypes.Order memory order = lease.order;
        uint256 who = _random(seed, 63) % 5; // 3 an operator, 4 anybody
        bool may = who < 2 || (who == 2 && order.session != address(0));
        bool expected = lease.phase == LeaseModel.Phase.OPEN && lease.stopAt == 0 && may;
        bool done = seed % 2 == 0 ? _stopBySender(lease, who) : _stopBySignature(id, lease, who, seed);
        if (seed % 2 == 1 && _random(seed, 64) % 9 == 0) expected = false; // too late
        require(done == expected, "stop");
        _count(expected, seed % 2 == 0 ? "stopped" : "stopped by signature", "not stopped");
        if (!expected) return;
        lease.stopAt = _now;
        _save(id, lease);
    }

    function _stopBySender(LeaseModel.Lease memory lease, uint256 who) private returns (bool) {
        address session = lease.order.session;
        if (session == address(0)) session = relayer;
        address[5] memory senders = [lease.order.renter, meter, session, lease.members[0].operator, relayer];
        bytes32 membersHash = _openingHash(lease);
        vm.prank(senders[who]);
        try escrow.stop(lease.order, membersHash) {
            return true;
        } catch {
            return false;
        }
    }

    function _stopBySignature(bytes32 id, LeaseModel.Lease memory lease, uint256 who, uint256 seed)
        private
        returns (bool)
    {
        uint256[5] memory keys = [
            secretOf(lease.order.renter),
            METER_KEY,
            sessionSecretOf(lease.order.session),
            agentSecret(lease.agents[0]),
            RENTER_KEY
        ];
        uint40 deadline = uint40(_random(seed, 64) % 9 == 0 ? _now - 1 : _now);
        bytes memory signature = sign(keys[who], digests.hashStop(id, deadline));
        bytes32 membersHash = _openingHash(lease);
        vm.prank(relayer);
        try escrow.stopFor(lease.order, membersHash, deadline, signature) {
            return true;
        } catch {
            return false;
        }
    }

    /// @dev Of the members that the lease was opened with.
    function _openingHash(LeaseModel.Lease memory lease) private view returns (bytes32) {
        ILeaseTypes.Member[] memory members = new ILeaseTypes.Member[](lease.roster.opened);
        for (uint256 i; i < members.length; ++i) {
            members[i] = lease.members[i];
        }
        return digests.hashMembers(members);
    }

    /// @dev Members that left claim what they have, and their signature is not asked for.
    function _closing(
        bytes32 id,
        LeaseModel.Lease memory lease,
        ILeaseTypes.Settlement memory settlement,
        uint96[] memory claimed,
        bool signed
    ) private view returns (ILeaseTypes.Closing memory c, bool everySignature) {
        uint256 count = claimed.length;
        c = ILeaseTypes.Closing(settlement, claimed, new bytes32[](count), new bytes32[](count));
        everySignature = true;
        for (uint256 i; i < count; ++i) {
            if (lease.roster.until[i] == LeaseModel.LEFT) continue;
            bool good = signed || i + 1 < count;
            if (!good) everySignature = false;
            uint256 key = good ? agentSecret(lease.agents[i]) : METER_KEY;
            (c.r[i], c.vs[i]) = _signClose(id, i, claimed[i], key);
        }
    }
}
