// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseEscrow} from "../../src/interfaces/ILeaseEscrow.sol";
import {ILeaseCore} from "../../src/interfaces/ILeaseCore.sol";
import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {EscrowFixture} from "../EscrowFixture.sol";
import {LeaseModel} from "./LeaseModel.sol";

/// @notice Does random things to the escrow, right and wrong ones, and keeps the model beside it. Every call says
/// beforehand what should come of it and fails if something else does.
contract Handler is EscrowFixture {
    using LeaseModel for LeaseModel.Lease;

    uint256 private constant AGENTS = 4;
    uint256 private constant RENTERS = 3;
    uint32 private constant DEVICES = 12; // of each agent: few, so that asks sell out

    uint256 private _now = START;
    uint256 private _salts;
    bytes32[] private _ids;
    mapping(bytes32 leaseId => bytes) private _leases; // abi.encode(LeaseModel.Lease)
    mapping(address owner => uint256) public free; // what each owner should have here
    mapping(address owner => bool) public deposited;
    mapping(uint256 agent => uint256) public devicesInUse;
    mapping(string outcome => uint256) public reached;

    constructor() {
        setUp();
        for (uint256 i; i < RENTERS; ++i) {
            fund(renterOf(i), 1e15);
        }
    }

    // ---------------------------------------------------------------- what the invariants look at

    function leaseCount() external view returns (uint256) {
        return _ids.length;
    }

    function leaseAt(uint256 i) external view returns (bytes32 id, LeaseModel.Lease memory lease) {
        return (_ids[i], load(_ids[i]));
    }

    function owners() public view returns (address[] memory all_) {
        all_ = new address[](RENTERS + AGENTS + 1);
        for (uint256 i; i < RENTERS; ++i) {
            all_[i] = renterOf(i);
        }
        for (uint256 i; i < AGENTS; ++i) {
            all_[RENTERS + i] = operatorOf(i);
        }
        all_[RENTERS + AGENTS] = treasury;
    }

    function agentKeyOf(uint256 i) external pure returns (address) {
        return agentKey(i);
    }

    function contracts() external view returns (ILeaseEscrow, address, address) {
        return (escrow, address(token), treasury);
    }

    function load(bytes32 id) public view returns (LeaseModel.Lease memory) {
        return abi.decode(_leases[id], (LeaseModel.Lease));
    }

    // ---------------------------------------------------------------- actions

    modifier atItsTime() {
        vm.warp(_now);
        _;
    }

    function pass(uint256 seed) external {
        _now += bound(seed, 1, 8 hours);
    }

    function open(uint256 seed) external atItsTime {
        uint256 count = 1 + seed % 3;
        ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](count);
        uint256[] memory agents = new uint256[](count);
        bool soldOut;
        uint256[AGENTS] memory wanted;
        for (uint256 i; i < count; ++i) {
            uint256 random = _random(seed, i);
            agents[i] = random % AGENTS;
            asks[i] = _randomAsk(agents[i], random);
            wanted[agents[i]] += asks[i].devices;
            if (devicesInUse[agents[i]] + wanted[agents[i]] > DEVICES) soldOut = true;
        }
        Deal memory d = _randomDeal(asks, _random(seed, 7));
        if (soldOut) {
            (bool opened_,) = _tryOpen(d, seed);
            require(!opened_, "oversold");
            ++reached["sold out"];
            return;
        }
        (bool done, bool fromBalance) = _tryOpen(d, seed);
        require(done, "a right order did not open");
        if (fromBalance) free[d.order.renter] -= d.order.deposit;
        for (uint256 i; i < count; ++i) {
            devicesInUse[agents[i]] += asks[i].devices;
        }
        _ids.push(d.leaseId);
        _save(
            d.leaseId,
            LeaseModel.Lease({
                order: d.order,
                members: d.members,
                agents: agents,
                phase: LeaseModel.Phase.OPEN,
                openedAt: _now,
                stopAt: 0,
                checkpointed: false,
                paid: new uint96[](count),
                charged: 0,
                refunded: 0
            })
        );
        (done,) = _tryOpen(d, seed);
        require(!done, "an order opened twice");
        ++reached["opened"];
    }

    function checkpoint(uint256 which, uint256 seed) external atItsTime {
        if (_ids.length == 0) return;
        (bytes32 id, LeaseModel.Lease memory lease) = _pick(which);
        (ILeaseTypes.Settlement memory settlement, uint96[] memory proven, bool right) =
            _randomRow(id, lease, seed);
        bool rises = !LeaseModel.equal(proven, lease.paid);
        bool expected = lease.phase == LeaseModel.Phase.OPEN && right && rises;
        ILeaseTypes.Settlement[] memory rows = new ILeaseTypes.Settlement[](3);
        (rows[0], rows[1], rows[2]) = (_junk(settlement, seed), settlement, _junk(settlement, ~seed));
        require(escrow.checkpoint(rows) == (expected ? 1 : 0), "checkpoint");
        ++reached[expected ? "paid" : "unpaid"];
        if (!expected) return;
        _pay(lease, proven);
        lease.checkpointed = true;
        _save(id, lease);
    }

    function close(uint256 which, uint256 seed) external atItsTime {
        if (_ids.length == 0) return;
        (bytes32 id, LeaseModel.Lease memory lease) = _pick(which);
        (ILeaseTypes.Settlement memory settlement, uint96[] memory proven, bool right) =
            _randomRow(id, lease, seed);
        // A voucher that would raise nothing is not looked at; then nothing beyond `paid` can be claimed.
        if (!right && LeaseModel.equal(proven, lease.paid) && seed % 5 == 1) right = true;
        uint96[] memory claimed = new uint96[](proven.length);
        bool within = true;
        for (uint256 i; i < claimed.length; ++i) {
            uint256 random = _random(seed, 100 + i);
            claimed[i] = random % 11 == 0
                ? uint96(random >> 160)
                : uint96(bound(random >> 8, lease.paid[i], proven[i]));
            if (claimed[i] < lease.paid[i] || claimed[i] > proven[i]) within = false;
        }
        bool signed = seed % 7 != 3;
        ILeaseTypes.Closing[] memory rows = new ILeaseTypes.Closing[](2);
        rows[1] = _closing(id, lease, settlement, claimed, signed);
        rows[0] = abi.decode(abi.encode(rows[1]), (ILeaseTypes.Closing));
        rows[0].settlement.order.salt ^= 1;
        bool expected = lease.phase == LeaseModel.Phase.OPEN && right && within && signed;
        uint256 before = token.balanceOf(lease.order.renter);
        require(escrow.close(rows) == (expected ? 1 : 0), "close");
        ++reached[expected ? "closed" : "left open"];
        if (!expected) return;
        _pay(lease, claimed);
        _end(id, lease, token.balanceOf(lease.order.renter) - before);
    }

    function stop(uint256 which, uint256 seed) external atItsTime {
        if (_ids.length == 0) return;
        (bytes32 id, LeaseModel.Lease memory lease) = _pick(which);
        address[4] memory callers = [lease.order.renter, meter, relayer, lease.members[0].operator];
        bool expected = lease.phase == LeaseModel.Phase.OPEN && lease.stopAt == 0 && seed % 4 < 2;
        vm.prank(callers[seed % 4]);
        try escrow.stop(lease.order, digests.hashMembers(lease.members)) {
            require(expected, "stopped by a stranger, twice, or after the end");
            ++reached["stopped"];
            lease.stopAt = _now;
            _save(id, lease);
        } catch {
            require(!expected, "stop");
        }
    }

    function finalize(uint256 which, uint256 seed) external atItsTime {
        if (_ids.length == 0) return;
        (bytes32 id, LeaseModel.Lease memory lease) = _pick(which);
        (ILeaseTypes.Settlement memory settlement, uint96[] memory proven, bool right) =
            _randomRow(id, lease, seed);
        if (!right && LeaseModel.equal(proven, lease.paid) && seed % 5 == 1) right = true;
        bool expected = lease.phase == LeaseModel.Phase.OPEN && right && _now > lease.windowEnd();
        ILeaseTypes.Settlement[] memory rows = new ILeaseTypes.Settlement[](2);
        (rows[0], rows[1]) = (_junk(settlement, seed), settlement);
        uint256 before = token.balanceOf(lease.order.renter);
        require(escrow.finalize(rows) == (expected ? 1 : 0), "finalize");
        ++reached[expected ? "finalized" : "early"];
        if (!expected) return;
        _pay(lease, proven);
        _end(id, lease, token.balanceOf(lease.order.renter) - before);
    }

    function moveMoney(uint256 who, uint256 amount) external atItsTime {
        address owner = owners()[who % owners().length];
        uint256 kind = amount % 3;
        amount = bound(amount >> 8, 0, 1e12);
        vm.startPrank(owner);
        if (kind == 0 && who % owners().length < RENTERS) {
            escrow.deposit(amount);
            free[owner] += amount;
            deposited[owner] = true;
        } else if (kind == 1) {
            try escrow.withdraw(amount) {
                require(amount <= free[owner], "withdrew too much");
                free[owner] -= amount;
            } catch {
                require(amount > free[owner], "withdraw");
            }
        } else {
            escrow.sweep(owners());
            for (uint256 i; i < owners().length; ++i) {
                address swept = owners()[i];
                if (!deposited[swept] || swept == owner) free[swept] = 0;
            }
        }
        vm.stopPrank();
    }

    /// @notice Ends every lease as a stranger would, long after all windows.
    function endAll() external {
        _now += 3650 days;
        vm.warp(_now);
        for (uint256 i; i < _ids.length; ++i) {
            LeaseModel.Lease memory lease = load(_ids[i]);
            if (lease.phase != LeaseModel.Phase.OPEN) continue;
            uint96[] memory paid = lease.checkpointed ? lease.paid : new uint96[](0);
            ILeaseTypes.Settlement memory settlement =
                ILeaseTypes.Settlement(lease.order, lease.members, paid, new ILeaseTypes.Roster[](0), noVoucher());
            uint256 before = token.balanceOf(lease.order.renter);
            vm.prank(relayer);
            require(finalize(settlement) == 1, "a lease cannot be ended");
            _end(_ids[i], lease, token.balanceOf(lease.order.renter) - before);
        }
    }

    // ---------------------------------------------------------------- the model's side

    function _pay(LeaseModel.Lease memory lease, uint96[] memory units) private {
        uint256 feeBps = escrow.lease(digests.hashOrder(lease.order, lease.members)).feeBps;
        for (uint256 i; i < units.length; ++i) {
            uint256 before = lease.memberCharge(lease.paid, i);
            uint256 afterwards = lease.memberCharge(units, i);
            uint256 fee = afterwards * feeBps / 10_000 - before * feeBps / 10_000;
            free[lease.members[i].operator] += afterwards - before - fee;
            free[treasury] += fee;
        }
        uint256 total = lease.chargeOf(units);
        (lease.charged, lease.paid) = (total, units);
    }

    function _end(bytes32 id, LeaseModel.Lease memory lease, uint256 refunded) private {
        for (uint256 i; i < lease.agents.length; ++i) {
            devicesInUse[lease.agents[i]] -= lease.members[i].devices;
        }
        (lease.phase, lease.refunded, lease.checkpointed) = (LeaseModel.Phase.ENDED, refunded, false);
        _save(id, lease);
    }

    function _save(bytes32 id, LeaseModel.Lease memory lease) private {
        _leases[id] = abi.encode(lease);
    }

    function _pick(uint256 which) private view returns (bytes32 id, LeaseModel.Lease memory lease) {
        // The newest are the likeliest to be open.
        id = _ids[_ids.length - 1 - which % (_ids.length < 6 ? _ids.length : 6)];
        lease = load(id);
    }

    // ---------------------------------------------------------------- random messages

    function renterKey(uint256 i) private pure returns (uint256) {
        return uint256(keccak256(abi.encode("renter", i)));
    }

    function renterOf(uint256 i) private pure returns (address) {
        return vm.addr(renterKey(i));
    }

    function _random(uint256 seed, uint256 nonce) private pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, nonce)));
    }

    function _randomAsk(uint256 agent, uint256 random) private view returns (ILeaseTypes.MatchedAsk memory) {
        ILeaseTypes.Ask memory ask = askOf(agent);
        ask.devices = DEVICES;
        ask.rate = uint64(random % 17 == 0 ? bound(random >> 8, 1, 2e9) : bound(random >> 8, 1, 2e12));
        ask.salt = random;
        return matched(agent, ask, uint32(bound(random >> 72, 1, 5)));
    }

    function _randomDeal(ILeaseTypes.MatchedAsk[] memory asks, uint256 random)
        private
        returns (Deal memory)
    {
        ILeaseTypes.Order memory order;
        order.renter = renterOf(random % RENTERS);
        order.meterKey = meter;
        order.maxSeconds = uint40(bound(random >> 8, 1, 3 days));
        order.closeWindow = uint32(bound(random >> 48, CLOSE_WINDOW, 1 days));
        order.prepay = uint16(bound(random >> 80, PREPAY, 60));
        order.maxFeeBps = FEE_BPS;
        order.openBy = uint40(_now);
        order.salt = ++_salts;
        order.deposit = requiredDeposit(asks, order.maxSeconds) + uint96(random % 3 == 0 ? random % 1e6 : 0);
        return deal(order, asks);
    }

    function _tryOpen(Deal memory d, uint256 seed) private returns (bool done, bool fromBalance) {
        uint256 key = d.order.renter == renterOf(0)
            ? renterKey(0)
            : d.order.renter == renterOf(1) ? renterKey(1) : renterKey(2);
        fromBalance = seed % 3 == 0 && free[d.order.renter] >= d.order.deposit;
        bytes memory data;
        if (fromBalance) {
            data = abi.encodeCall(ILeaseCore.openFromBalance, (d.order, d.asks, sign(key, d.leaseId)));
        } else if (seed % 3 == 1) {
            (uint8 v, bytes32 r, bytes32 s) = authorization(d, key, d.leaseId);
            data = abi.encodeCall(
                ILeaseCore.openWithAuthorization, (d.order, d.asks, 0, block.timestamp + 1 hours, v, r, s)
            );
        } else {
            vm.prank(d.order.renter);
            data = abi.encodeCall(ILeaseCore.open, (d.order, d.asks));
        }
        (done,) = address(escrow).call(data);
    }

    /// @return settlement a row about the lease
    /// @return proven what its voucher should make payable
    /// @return right whether its signature and paid units are in order
    function _randomRow(bytes32 id, LeaseModel.Lease memory lease, uint256 seed)
        private
        view
        returns (ILeaseTypes.Settlement memory settlement, uint96[] memory proven, bool right)
    {
        uint256 count = lease.members.length;
        uint96[] memory units = new uint96[](count);
        uint40[] memory from = new uint40[](count);
        for (uint256 i; i < count; ++i) {
            uint256 random = _random(seed, i);
            if (random % 4 == 0) units[i] = type(uint96).max;
            else units[i] = uint96(bound(random >> 8, 0, uint256(lease.members[i].devices) * 2 days));
            if (random % 3 == 0) from[i] = uint40(_now + 900 - bound(random >> 104, 0, 9000));
        }
        uint256 kind = seed % 5; // 0 wrong paid units, 1 wrong key, else right
        uint96[] memory paid = lease.checkpointed ? lease.paid : new uint96[](0);
        if (kind == 0) paid = lease.checkpointed ? new uint96[](0) : all(count, 0);
        settlement = ILeaseTypes.Settlement(lease.order, lease.members, paid, new ILeaseTypes.Roster[](0), noVoucher());
        settlement.voucher = voucher(id, units, from, kind == 1 ? RENTER_KEY : METER_KEY);
        proven = lease.proven(units, from, _now);
        right = kind > 1;
    }

    /// @dev A row like the right one, and wrong in one way.
    function _junk(ILeaseTypes.Settlement memory settlement, uint256 seed)
        private
        pure
        returns (ILeaseTypes.Settlement memory junk)
    {
        junk = abi.decode(abi.encode(settlement), (ILeaseTypes.Settlement));
        if (seed % 4 == 0) junk.order.salt ^= 1;
        else if (seed % 4 == 1) junk.members[0].rate ^= 1;
        else if (seed % 4 == 2) junk.members = new ILeaseTypes.Member[](0);
        else junk.order.renter = address(1);
    }

    function _closing(
        bytes32 id,
        LeaseModel.Lease memory lease,
        ILeaseTypes.Settlement memory settlement,
        uint96[] memory claimed,
        bool signed
    ) private view returns (ILeaseTypes.Closing memory c) {
        uint256 count = claimed.length;
        c = ILeaseTypes.Closing(settlement, claimed, new bytes32[](count), new bytes32[](count));
        for (uint256 i; i < count; ++i) {
            uint256 key = signed || i + 1 < count ? agentSecret(lease.agents[i]) : METER_KEY;
            (c.r[i], c.vs[i]) = vm.signCompact(key, digests.hashClose(id, uint32(i), claimed[i]));
        }
    }
}
