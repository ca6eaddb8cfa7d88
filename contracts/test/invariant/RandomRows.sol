// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {LeaseModel} from "./LeaseModel.sol";
import {ModelStore} from "./ModelStore.sol";

/// @notice Rows about leases, right and wrong ones, and what should come of each.
abstract contract RandomRows is ModelStore {
    using LeaseModel for LeaseModel.Lease;

    struct Row {
        ILeaseTypes.Settlement settlement;
        uint96[] proven; // what is payable with it
        bool known; // it presents what was paid, or what was before its own voucher
        bool valid; // known, and its voucher is in order wherever it would raise something
        bool rises;
    }

    enum Kind {
        WRONG_PAID,
        WRONG_KEY,
        NO_VOUCHER,
        SHORT_VOUCHER,
        FRONT_RUN,
        RIGHT
    }

    function _randomRow(bytes32 id, LeaseModel.Lease memory lease, uint256 seed)
        internal
        view
        returns (Row memory row)
    {
        Kind kind = _kindOf(_random(seed, 50));
        ILeaseTypes.Settlement memory settlement = _bare(lease);
        row.settlement = settlement;
        if (kind == Kind.WRONG_PAID) settlement.paidUnits = _wrongPaid(lease, seed);
        if (kind != Kind.NO_VOUCHER) {
            (uint96[] memory units, uint40[] memory from) = _randomVoucher(lease, seed);
            if (kind == Kind.SHORT_VOUCHER) from = new uint40[](units.length - 1);
            if (kind == Kind.FRONT_RUN && lease.lastUnits.length != 0) {
                (settlement.paidUnits, units, from) = (lease.before, lease.lastUnits, lease.lastFrom);
            }
            settlement.voucher = voucher(id, units, from, kind == Kind.WRONG_KEY ? RENTER_KEY : METER_KEY);
        }
        _foresee(lease, row, kind != Kind.WRONG_KEY);
    }

    function _kindOf(uint256 random) private pure returns (Kind) {
        uint256 drawn = random % 16;
        return drawn < 5 ? Kind(drawn) : Kind.RIGHT;
    }

    /// @dev A row without voucher, in order.
    function _bare(LeaseModel.Lease memory lease)
        internal
        pure
        returns (ILeaseTypes.Settlement memory settlement)
    {
        ILeaseTypes.Roster[] memory roster = new ILeaseTypes.Roster[](lease.changed ? 1 : 0);
        if (lease.changed) roster[0] = lease.roster;
        settlement = ILeaseTypes.Settlement(lease.order, lease.members, lease.record(), roster, noVoucher());
    }

    function _foresee(LeaseModel.Lease memory lease, Row memory row, bool signed) private view {
        ILeaseTypes.Voucher memory v = row.settlement.voucher;
        uint256 count = lease.members.length;
        row.proven = lease.paid;
        row.known = lease.isKnown(row.settlement.paidUnits, v.units, v.accrueFrom);
        row.valid = row.known;
        if (v.units.length == 0 && v.accrueFrom.length == 0) return;
        if (v.units.length != count || v.accrueFrom.length != count) {
            row.valid = false;
            return;
        }
        row.proven = lease.raised(lease.paid, v.units, v.accrueFrom, _now);
        row.rises = !LeaseModel.equal(row.proven, lease.paid);
        if (row.rises && !signed) row.valid = false;
    }

    function _randomVoucher(LeaseModel.Lease memory lease, uint256 seed)
        private
        view
        returns (uint96[] memory units, uint40[] memory from)
    {
        uint256 count = lease.members.length;
        (units, from) = (new uint96[](count), new uint40[](count));
        for (uint256 i; i < count; ++i) {
            uint256 random = _random(seed, i);
            if (random % 4 == 0) units[i] = type(uint96).max;
            else units[i] = uint96(bound(random >> 8, 0, uint256(lease.members[i].devices) * 2 days));
            if (random % 3 == 0) from[i] = uint40(_now + 900 - bound(random >> 104, 0, 9000));
        }
    }

    function _wrongPaid(LeaseModel.Lease memory lease, uint256 seed) private pure returns (uint96[] memory) {
        if (seed % 3 == 0) return all(lease.members.length, 0);
        if (seed % 3 == 1) return lease.before;
        return all(lease.members.length + 1, 1);
    }

    /// @dev A row like the right one, and wrong in one way.
    function _junk(ILeaseTypes.Settlement memory settlement, uint256 seed)
        internal
        pure
        returns (ILeaseTypes.Settlement memory junk)
    {
        junk = abi.decode(abi.encode(settlement), (ILeaseTypes.Settlement));
        uint256 kind = seed % 8;
        if (kind == 0) junk.order.salt ^= 1;
        else if (kind == 1) junk.members[0].rate ^= 1;
        else if (kind == 2) junk.members = new ILeaseTypes.Member[](0);
        else if (kind == 3) junk.order.renter = address(1);
        else if (junk.roster.length == 0) junk.roster = new ILeaseTypes.Roster[](1);
        else if (kind == 4) junk.roster[0].deposit ^= 1;
        else if (kind == 5) junk.roster[0].opened = uint32(seed >> 8);
        else if (kind == 6) junk.roster[0].until[0] ^= 1;
        else junk.roster = new ILeaseTypes.Roster[](seed % 3 == 0 ? 0 : 2);
    }

    function _randomAsk(uint256 agent, uint256 random) internal view returns (ILeaseTypes.MatchedAsk memory) {
        ILeaseTypes.Ask memory ask = askOf(agent);
        ask.devices = DEVICES;
        ask.rate = uint64(random % 17 == 0 ? bound(random >> 8, 1, 2e9) : bound(random >> 8, 1, 2e12));
        ask.salt = random;
        if (random % 5 == 0) ask.maxSeconds = 4 days;
        if (random % 31 == 0) ask.validUntil = uint40(_now - 1);
        if (random % 37 == 0) ++ask.epoch;
        return matched(agent, ask, uint32(bound(random >> 72, 1, 5)));
    }

    /// @dev Whether asks that were just made can be taken: in time, of this epoch, not sold out.
    function _canTake(ILeaseTypes.MatchedAsk[] memory asks, uint256[] memory agents, uint256 maxSeconds)
        internal
        view
        returns (bool)
    {
        uint256[AGENTS] memory wanted;
        for (uint256 i; i < asks.length; ++i) {
            ILeaseTypes.Ask memory ask = asks[i].ask;
            wanted[agents[i]] += asks[i].devices;
            if (devicesInUse[agents[i]] + wanted[agents[i]] > DEVICES) return false;
            if (!_isGood(ask, maxSeconds)) return false;
        }
        return true;
    }

    function _isGood(ILeaseTypes.Ask memory ask, uint256 maxSeconds) internal view returns (bool) {
        return ask.validUntil >= _now && ask.maxSeconds >= maxSeconds
            && ask.epoch == operators.agent(ask.agentKey).epoch;
    }

    function _randomAsks(uint256 count, uint256 seed)
        internal
        view
        returns (ILeaseTypes.MatchedAsk[] memory asks, uint256[] memory agents)
    {
        (asks, agents) = (new ILeaseTypes.MatchedAsk[](count), new uint256[](count));
        for (uint256 i; i < count; ++i) {
            uint256 random = _random(seed, i);
            agents[i] = random % AGENTS;
            asks[i] = _randomAsk(agents[i], random >> 8);
        }
    }
}
