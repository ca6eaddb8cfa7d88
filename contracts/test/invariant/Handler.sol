// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {LeaseModel} from "./LeaseModel.sol";
import {Changes} from "./Changes.sol";
import {Settles} from "./Settles.sol";

interface INonces {
    function nonces(address owner) external view returns (uint256);
}

/// @notice Does random things to the escrow, right and wrong ones, and keeps the model beside it. Every call says
/// beforehand what should come of it and fails if something else does.
contract Handler is Changes, Settles {
    using LeaseModel for LeaseModel.Lease;

    function pass(uint256 seed) external {
        _now += seed % 9 == 0 ? bound(seed >> 8, 1, 5 days) : bound(seed >> 8, 1, 3 hours);
    }

    /// @notice Voids all asks of an agent, those of members that serve included.
    function cancelAsks(uint256 seed) external atItsTime {
        uint256 agent = seed % AGENTS;
        vm.prank(operatorOf(agent));
        operators.cancelAsks(agentKey(agent));
    }

    function moveMoney(uint256 who, uint256 amount) external atItsTime {
        address owner = owners()[who % owners().length];
        uint256 kind = amount % 4;
        amount = bound(amount >> 8, 0, 1e12);
        bool isRenter = who % owners().length < RENTERS;
        if (kind == 0 && isRenter) {
            vm.prank(owner);
            escrow.deposit(amount);
            free[owner] += amount;
            deposited[owner] = true;
        } else if (kind == 1) {
            vm.prank(owner);
            try escrow.withdraw(amount) {
                require(amount <= free[owner], "6: withdrew too much");
                free[owner] -= amount;
            } catch {
                require(amount > free[owner], "withdraw");
            }
        } else if (kind == 2 && isRenter) {
            _withdrawBySignature(owner, amount, who);
        } else {
            vm.prank(owner);
            escrow.sweep(owners());
            for (uint256 i; i < owners().length; ++i) {
                address swept = owners()[i];
                if (!deposited[swept] || swept == owner) free[swept] = 0;
            }
        }
    }

    function grantSession(uint256 who, uint256 seed) external atItsTime {
        uint256 random = _random(seed, 300);
        ILeaseTypes.SessionGrant memory grant;
        (grant.renter, grant.key) = (renterOf(who % RENTERS), sessionKeyOf(random & 1));
        grant.spendLimit = uint96(bound(random >> 1, 0, random % 3 == 0 ? 1e9 : 1e11));
        grant.maxRate = uint64(bound(random >> 96, random % 3 == 1 ? 1e12 : 2e12, 2e12));
        grant.maxDevices = uint32(bound(random >> 128, 4, 15));
        grant.validUntil = uint40(random % 7 == 0 ? _now - 1 : _now + bound(random >> 160, 0, 30 days));
        grant.nonce = INonces(address(escrow)).nonces(grant.renter);
        bool expected = true;
        if (random >> 200 & 15 == 0) (grant.nonce, expected) = (grant.nonce + 1, false);
        bytes memory signature;
        if (seed % 2 == 0) {
            bool signed = seed % 10 != 0;
            if (!signed) expected = false;
            signature = sign(signed ? secretOf(grant.renter) : METER_KEY, digests.hashSessionGrant(grant));
        }
        vm.prank(seed % 2 == 0 ? relayer : grant.renter);
        try escrow.grantSession(grant, signature) {
            require(expected, "16: granted");
        } catch {
            require(!expected, "grantSession");
        }
        _count(expected, "granted", "not granted");
        if (!expected) return;
        ModelSession storage s = _sessions[grant.renter][grant.key];
        (s.limit, s.validUntil) = (grant.spendLimit, grant.validUntil);
        (s.maxRate, s.maxDevices) = (grant.maxRate, grant.maxDevices);
    }

    function revokeSession(uint256 who) external atItsTime {
        address owner = renterOf(who % RENTERS);
        address key = sessionKeyOf(who >> 8 & 1);
        vm.prank(owner);
        escrow.revokeSession(key);
        _sessions[owner][key].validUntil = 0;
    }

    /// @notice Ends every lease as a stranger would, long after all windows.
    function endAll() external {
        _now += 3650 days;
        vm.warp(_now);
        while (_open.length != 0) {
            bytes32 id = _open[_open.length - 1];
            LeaseModel.Lease memory lease = load(id);
            ILeaseTypes.Settlement memory settlement = _bare(lease);
            uint256 wallet = token.balanceOf(lease.order.renter);
            vm.prank(relayer);
            require(finalize(settlement) == 1, "10: a lease cannot be ended");
            _end(id, lease, wallet);
        }
    }

    /// @dev To anybody, by anybody; with the owner's signature, in time, once.
    function _withdrawBySignature(address owner, uint256 amount, uint256 seed) private {
        address to = address(uint160(uint256(keccak256(abi.encode(seed)))));
        uint256 nonce = INonces(address(escrow)).nonces(owner);
        uint40 deadline = uint40(seed % 13 == 0 ? _now - 1 : _now);
        uint256 key = seed % 11 == 0 ? METER_KEY : secretOf(owner);
        bool expected = seed % 13 != 0 && seed % 11 != 0 && amount <= free[owner];
        bytes memory signature = sign(key, digests.hashWithdraw(owner, to, amount, nonce, deadline));
        for (uint256 again; again < 2; ++again) {
            vm.prank(relayer);
            try escrow.withdrawFor(owner, to, amount, deadline, signature) {
                require(expected && again == 0, "6: withdrew without consent");
                free[owner] -= amount;
            } catch {
                require(!expected || again == 1, "withdrawFor");
            }
        }
        if (expected) {
            require(token.balanceOf(to) >= amount, "withdrawal did not arrive");
            ++reached["withdrawn by signature"];
        }
    }
}
