// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseEscrow} from "../../src/interfaces/ILeaseEscrow.sol";
import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {EscrowFixture} from "../EscrowFixture.sol";
import {LeaseModel} from "./LeaseModel.sol";

/// @notice All that the model remembers: leases, free balances, devices in use, sessions.
abstract contract ModelStore is EscrowFixture {
    using LeaseModel for LeaseModel.Lease;

    struct ModelSession {
        uint256 limit;
        uint256 spent;
        uint256 validUntil;
        uint256 maxRate;
        uint256 maxDevices;
    }

    uint256 internal constant AGENTS = 4;
    uint256 internal constant RENTERS = 3;
    uint256 internal constant SESSIONS = 2;
    uint32 internal constant DEVICES = 12; // of each agent: few, so that asks sell out

    uint256 internal _now = START;
    uint256 internal _salts;
    uint256 internal _feesEarned;
    uint256 private _held; // deposits of open leases, less what they were charged
    uint256 private _steps;
    bytes32 private _touched; // the lease that something happened to last
    bytes32[] internal _ids;
    bytes32[] internal _open;
    mapping(bytes32 leaseId => bytes) private _leases; // abi.encode(LeaseModel.Lease)
    mapping(address owner => uint256) public free; // what each owner should have here
    mapping(address owner => bool) public deposited;
    mapping(uint256 agent => uint256) public devicesInUse;
    mapping(address renter => mapping(address key => ModelSession)) internal _sessions;
    mapping(string outcome => uint256) public reached;

    constructor() {
        setUp();
        for (uint256 i; i < RENTERS; ++i) {
            fund(renterOf(i), 1e15);
        }
    }

    modifier atItsTime() {
        ++_steps;
        vm.warp(_now);
        _;
    }

    // ---------------------------------------------------------------- what the invariants look at

    function leaseCount() external view returns (uint256) {
        return _ids.length;
    }

    function leaseAt(uint256 i) external view returns (bytes32 id, LeaseModel.Lease memory lease) {
        return (_ids[i], load(_ids[i]));
    }

    /// @notice The open leases to look at between two calls: the one that was touched, and one of the others in turn.
    /// (All of them are looked at when a run ends.)
    function watched() external view returns (bytes32[] memory ids) {
        bool isOpen = _touched != 0 && load(_touched).phase == LeaseModel.Phase.OPEN;
        if (_open.length == 0) return ids;
        ids = new bytes32[](isOpen ? 2 : 1);
        ids[0] = _open[_steps % _open.length];
        if (isOpen) ids[1] = _touched;
    }

    function openLeases() external view returns (bytes32[] memory) {
        return _open;
    }

    /// @notice What open leases hold, all together.
    function held() external view returns (uint256) {
        return _held;
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

    function sessionAt(uint256 i)
        external
        view
        returns (address renter_, address key, ModelSession memory session_)
    {
        (renter_, key) = (renterOf(i / SESSIONS), sessionKeyOf(i % SESSIONS));
        session_ = _sessions[renter_][key];
    }

    function sessionCount() external pure returns (uint256) {
        return RENTERS * SESSIONS;
    }

    function agentKeyOf(uint256 i) external pure returns (address) {
        return agentKey(i);
    }

    function offeredDevices() external pure returns (uint256) {
        return DEVICES;
    }

    function contracts() external view returns (ILeaseEscrow, address, address) {
        return (escrow, address(token), treasury);
    }

    /// @notice All fees of all leases, summed from floor(charge * bps / 10,000) of each member.
    function feesEarned() external view returns (uint256) {
        return _feesEarned;
    }

    function load(bytes32 id) public view returns (LeaseModel.Lease memory) {
        return abi.decode(_leases[id], (LeaseModel.Lease));
    }

    // ---------------------------------------------------------------- what happens to it

    function _save(bytes32 id, LeaseModel.Lease memory lease) internal {
        if (_leases[id].length != 0) _held -= _heldBy(load(id));
        _held += _heldBy(lease);
        _leases[id] = abi.encode(lease);
        _touched = id;
    }

    function _heldBy(LeaseModel.Lease memory lease) private pure returns (uint256) {
        return lease.phase == LeaseModel.Phase.OPEN ? lease.roster.deposit - lease.charged : 0;
    }

    function _add(bytes32 id, LeaseModel.Lease memory lease) internal {
        _ids.push(id);
        _open.push(id);
        _save(id, lease);
    }

    function _pick(uint256 which) internal view returns (bytes32 id, LeaseModel.Lease memory lease) {
        // Mostly an open one; one in seven is any of the newest, ended ones among them.
        if (_open.length != 0 && which % 7 != 0) id = _open[which % _open.length];
        else id = _ids[_ids.length - 1 - which % (_ids.length < 6 ? _ids.length : 6)];
        lease = load(id);
    }

    /// @dev Credits what `units` add. Units may only rise.
    function _credit(LeaseModel.Lease memory lease, uint96[] memory units) internal {
        for (uint256 i; i < units.length; ++i) {
            require(units[i] >= lease.paid[i], "4: the model pays less than before");
            uint256 before = lease.memberCharge(lease.paid, i);
            uint256 afterwards = lease.memberCharge(units, i);
            uint256 fee = afterwards * FEE_BPS / 10_000 - before * FEE_BPS / 10_000;
            free[lease.members[i].operator] += afterwards - before - fee;
            free[treasury] += fee;
            _feesEarned += fee;
        }
        lease.charged = lease.chargeOf(units);
        if (!LeaseModel.equal(units, lease.paid)) lease.setPaid(units, _now);
    }

    function _leaveDevices(LeaseModel.Lease memory lease, uint256 member) internal {
        devicesInUse[lease.agents[member]] -= lease.members[member].devices;
    }

    /// @dev Where a refund should have gone: checked against the renter's wallet, or noted as free.
    /// @param walletBefore the renter's tokens before the call
    function _refund(LeaseModel.Lease memory lease, uint256 amount, uint256 walletBefore) internal {
        lease.refunded += amount;
        ILeaseTypes.Order memory order = lease.order;
        uint256 arrived = token.balanceOf(order.renter) - walletBefore;
        if (order.session == address(0)) {
            require(arrived == amount, "2: refund did not arrive");
            return;
        }
        require(arrived == 0, "16: refund of a session left the escrow");
        free[order.renter] += amount;
        _sessions[order.renter][order.session].spent -= amount;
    }

    function _end(bytes32 id, LeaseModel.Lease memory lease, uint256 walletBefore) internal {
        for (uint256 i; i < lease.agents.length; ++i) {
            if (lease.roster.until[i] != LeaseModel.LEFT) _leaveDevices(lease, i);
        }
        _refund(lease, lease.roster.deposit - lease.charged, walletBefore);
        (lease.phase, lease.recorded) = (LeaseModel.Phase.ENDED, 0);
        _save(id, lease);
        for (uint256 i; i < _open.length; ++i) {
            if (_open[i] != id) continue;
            _open[i] = _open[_open.length - 1];
            _open.pop();
            return;
        }
        revert("an ended lease was not open");
    }

    // ---------------------------------------------------------------- parties and chance

    function renterSecret(uint256 i) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("renter", i)));
    }

    function renterOf(uint256 i) internal pure returns (address) {
        return vm.addr(renterSecret(i));
    }

    function secretOf(address renter_) internal pure returns (uint256) {
        for (uint256 i; i < RENTERS; ++i) {
            if (renterOf(i) == renter_) return renterSecret(i);
        }
        revert("no renter");
    }

    function sessionSecret(uint256 i) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("session", i)));
    }

    function sessionKeyOf(uint256 i) internal pure returns (address) {
        return vm.addr(sessionSecret(i));
    }

    function sessionSecretOf(address key) internal pure returns (uint256) {
        return key == sessionKeyOf(0) ? sessionSecret(0) : sessionSecret(1);
    }

    function _random(uint256 seed, uint256 nonce) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, nonce)));
    }

    function _count(bool expected, string memory yes, string memory no) internal {
        ++reached[expected ? yes : no];
    }
}
