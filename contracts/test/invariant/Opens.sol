// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseCore} from "../../src/interfaces/ILeaseCore.sol";
import {ILeaseExtension} from "../../src/interfaces/ILeaseExtension.sol";
import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {LeaseModel} from "./LeaseModel.sol";
import {RandomRows} from "./RandomRows.sol";

/// @notice Opens leases in all ways but Permit2's (a contract of others), with right and wrong asks, money and consent.
abstract contract Opens is RandomRows {
    using LeaseModel for LeaseModel.Lease;

    enum Way {
        DIRECT,
        AUTHORIZATION,
        PERMIT,
        BALANCE,
        SESSION,
        SET
    }

    /// @dev An attempt to open: who pays how, and whether that should do.
    struct Attempt {
        Deal d;
        Way way;
        uint256 random;
        bool right;
        bool byCaller; // the consenting party calls itself
        uint16 flaw; // what is wrong with the consent: 0 nothing
    }

    function open(uint256 seed) external atItsTime {
        (ILeaseTypes.MatchedAsk[] memory asks, uint256[] memory agents) = _randomAsks(1 + seed % 3, seed);
        Attempt memory a;
        a.random = _random(seed, 7);
        a.way = Way(_random(seed, 8) % 6);
        a.byCaller = _random(seed, 9) % 2 == 0;
        a.flaw = _random(seed, 10) % 6 == 0 ? uint16(1 + seed % 2) : 0;
        a.d = _randomDeal(asks, a);
        a.right = _canTake(asks, agents, a.d.order.maxSeconds)
            && a.d.order.deposit >= requiredDeposit(asks, a.d.order.maxSeconds);
        if (a.way >= Way.BALANCE) a.right = a.right && free[a.d.order.renter] >= a.d.order.deposit;
        if (a.way == Way.SESSION) a.right = a.right && _sessionAllows(a.d.order, asks);

        bool done = _try(a);
        require(done == (a.right && a.flaw == 0), "open");
        _count(done, "opened", "not opened");
        if (!done) return;
        string[6] memory ways = ["direct", "authorization", "permit", "balance", "session", "set"];
        ++reached[ways[uint256(a.way)]];
        _remember(a, agents);
        require(!_try(a), "14: an order opened twice");
    }

    function _remember(Attempt memory a, uint256[] memory agents) private {
        ILeaseTypes.Order memory order = a.d.order;
        uint256 count = agents.length;
        if (a.way >= Way.BALANCE) free[order.renter] -= order.deposit;
        if (a.way == Way.SESSION) _sessions[order.renter][order.session].spent += order.deposit;
        ILeaseTypes.Ask[] memory asks = new ILeaseTypes.Ask[](count);
        for (uint256 i; i < count; ++i) {
            devicesInUse[agents[i]] += a.d.asks[i].devices;
            asks[i] = a.d.asks[i].ask;
        }
        LeaseModel.Lease memory lease;
        (lease.order, lease.members, lease.asks, lease.agents) = (order, a.d.members, asks, agents);
        (lease.phase, lease.openedAt, lease.paidIn) = (LeaseModel.Phase.OPEN, _now, order.deposit);
        lease.paid = new uint96[](count);
        lease.roster = ILeaseTypes.Roster(
            uint32(count), order.maxSeconds, order.deposit, new uint40[](count), new uint40[](count)
        );
        _add(a.d.leaseId, lease);
    }

    function _randomDeal(ILeaseTypes.MatchedAsk[] memory asks, Attempt memory a)
        private
        returns (Deal memory)
    {
        uint256 random = a.random;
        ILeaseTypes.Order memory order;
        order.renter = renterOf(random % RENTERS);
        if (a.way == Way.SESSION) order.session = sessionKeyOf(random >> 9 & 1);
        order.meterKey = meter;
        order.maxSeconds = uint40(bound(random >> 10, 1, 3 days));
        order.closeWindow = uint32(bound(random >> 48, CLOSE_WINDOW, 1 days));
        order.prepay = uint16(bound(random >> 80, PREPAY, 60));
        order.maxFeeBps = FEE_BPS;
        order.openBy = uint40(_now);
        order.salt = ++_salts;
        order.deposit = requiredDeposit(asks, order.maxSeconds) + uint96(random % 3 == 0 ? random % 1e6 : 0);
        if (random % 41 == 0) --order.deposit;
        return deal(order, asks);
    }

    /// @dev As `SessionGrant` says it: rate of each ask, devices of all, what its leases hold or cost, time.
    function _sessionAllows(ILeaseTypes.Order memory order, ILeaseTypes.MatchedAsk[] memory asks)
        private
        view
        returns (bool)
    {
        return _sessionMay(order.renter, order.session, asks, order.deposit);
    }

    function _sessionMay(address renter_, address key, ILeaseTypes.MatchedAsk[] memory asks, uint256 amount)
        internal
        view
        returns (bool)
    {
        ModelSession memory s = _sessions[renter_][key];
        uint256 devices;
        for (uint256 i; i < asks.length; ++i) {
            if (asks[i].ask.rate > s.maxRate) return false;
            devices += asks[i].devices;
        }
        return _now <= s.validUntil && s.spent + amount <= s.limit && devices <= s.maxDevices;
    }

    // ---------------------------------------------------------------- the call

    function _try(Attempt memory a) private returns (bool done) {
        ILeaseTypes.Order memory order = a.d.order;
        uint256 key = secretOf(order.renter);
        if (a.way == Way.DIRECT) {
            vm.prank(a.flaw == 0 ? order.renter : relayer);
            (done,) = address(escrow).call(abi.encodeCall(ILeaseCore.open, (order, a.d.asks)));
        } else if (a.way == Way.AUTHORIZATION) {
            done = _tryAuthorized(a, key);
        } else if (a.way == Way.PERMIT) {
            done = _tryPermit(a);
        } else if (a.way == Way.SET) {
            done = _trySet(a, key);
        } else {
            bool isSession = a.way == Way.SESSION;
            if (isSession) key = sessionSecretOf(order.session);
            if (a.flaw != 0) key = METER_KEY;
            vm.prank(a.byCaller && a.flaw == 0 ? (isSession ? order.session : order.renter) : relayer);
            bytes memory signature = a.byCaller && a.flaw == 0 ? bytes("") : sign(key, a.d.leaseId);
            (done,) = address(escrow)
                .call(abi.encodeCall(ILeaseCore.openFromBalance, (order, a.d.asks, signature)));
        }
    }

    /// @dev Flaws: an authorization for another thing, or by another key.
    function _tryAuthorized(Attempt memory a, uint256 key) private returns (bool done) {
        bytes32 nonce = a.flaw == 1 ? keccak256("another") : a.d.leaseId;
        (uint8 v, bytes32 r, bytes32 s) = authorization(a.d, a.flaw == 2 ? METER_KEY : key, nonce);
        vm.prank(relayer);
        (done,) = address(escrow)
            .call(
                abi.encodeCall(
                    ILeaseCore.openWithAuthorization,
                    (a.d.order, a.d.asks, 0, block.timestamp + 1 hours, v, r, s)
                )
            );
    }

    /// @dev The renter's allowance is there already, and must not be lowered to one deposit: no permit here is good, as
    /// if each had been used by somebody else first. Only the caller counts.
    function _tryPermit(Attempt memory a) private returns (bool done) {
        uint256 deadline = block.timestamp + 1 hours;
        (uint8 v, bytes32 r, bytes32 s) = permit(a.d.order.renter, METER_KEY, a.d.order.deposit, deadline);
        vm.prank(a.flaw == 0 ? a.d.order.renter : relayer);
        (done,) = address(escrow)
            .call(abi.encodeCall(ILeaseCore.openWithPermit, (a.d.order, a.d.asks, deadline, v, r, s)));
    }

    /// @dev One of two orders of a set that allows one. Flaws: another signer, another root.
    function _trySet(Attempt memory a, uint256 key) private returns (bool done) {
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = keccak256(abi.encode(a.random));
        bytes32 id = a.d.leaseId;
        bytes32 root = id < proof[0]
            ? keccak256(abi.encodePacked(id, proof[0]))
            : keccak256(abi.encodePacked(proof[0], id));
        ILeaseTypes.OrderSet memory set = ILeaseTypes.OrderSet(
            a.d.order.renter, a.flaw == 1 ? id : root, 1, a.d.order.deposit, a.d.order.openBy, a.random
        );
        bytes memory signature = sign(a.flaw == 2 ? METER_KEY : key, digests.hashOrderSet(set));
        vm.prank(relayer);
        (done,) = address(escrow)
            .call(abi.encodeCall(ILeaseExtension.openFromSet, (a.d.order, a.d.asks, set, proof, signature)));
    }
}
