// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseEscrow} from "../../src/interfaces/ILeaseEscrow.sol";
import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {IToken} from "../EscrowFixture.sol";
import {Test} from "../Test.sol";
import {Changes} from "./Changes.sol";
import {Handler} from "./Handler.sol";
import {LeaseModel} from "./LeaseModel.sol";
import {ModelStore} from "./ModelStore.sol";
import {Opens} from "./Opens.sol";
import {Settles} from "./Settles.sol";

/// @notice Numbers are those of README.md in this folder. What is checked at every call is checked in `Handler`.
contract LeaseInvariantsTest is Test {
    using LeaseModel for LeaseModel.Lease;

    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Handler private _handler;
    ILeaseEscrow private _escrow;
    IToken private _token;
    address private _treasury;

    function setUp() public {
        _handler = new Handler();
        address token;
        (_escrow, token, _treasury) = _handler.contracts();
        _token = IToken(token);
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory targets) {
        bytes4[16] memory chosen = [
            Handler.pass.selector,
            Handler.pass.selector,
            Opens.open.selector,
            Opens.open.selector,
            Opens.open.selector,
            Settles.checkpoint.selector,
            Settles.checkpoint.selector,
            Changes.change.selector,
            Changes.change.selector,
            Settles.leave.selector,
            Settles.close.selector,
            Settles.stop.selector,
            Settles.finalize.selector,
            Handler.moveMoney.selector,
            Handler.grantSession.selector,
            Handler.revokeSession.selector
        ];
        bytes4[] memory selectors = new bytes4[](chosen.length + 1);
        for (uint256 i; i < chosen.length; ++i) {
            selectors[i] = chosen[i];
        }
        selectors[chosen.length] = Handler.cancelAsks.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_handler), selectors);
    }

    /// @dev One campaign for all: forge would give each of them the same calls again.
    function invariant_everything_in_the_readme_holds() public view {
        check_01_the_escrow_holds_exactly_what_it_owes();
        check_02_what_was_paid_in_is_held_or_refunded();
        check_03_the_charge_is_units_times_rate_within_a_deposit_that_covers_all();
        check_04_what_is_recorded_is_what_was_agreed_and_paid();
        check_05_units_never_pass_the_clock();
        check_06_free_balances_are_what_their_owners_left();
        check_09_nothing_accrues_after_a_stop_and_its_prepay();
        check_12_fees_are_half_a_percent_of_each_charge();
        check_13_devices_in_use_are_those_of_open_leases();
        check_16_a_session_has_spent_what_its_leases_hold_or_cost();
    }

    function check_01_the_escrow_holds_exactly_what_it_owes() public view {
        uint256 owed = _handler.held();
        address[] memory owners = _handler.owners();
        for (uint256 i; i < owners.length; ++i) {
            owed += _escrow.balanceOf(owners[i]);
        }
        vm.assertEq(_token.balanceOf(address(_escrow)), owed, "1: holds what it owes");
    }

    function check_02_what_was_paid_in_is_held_or_refunded() public view {
        _eachWatched(_checkPaidIn);
    }

    function check_03_the_charge_is_units_times_rate_within_a_deposit_that_covers_all() public view {
        _eachWatched(_checkCharge);
    }

    function check_04_what_is_recorded_is_what_was_agreed_and_paid() public view {
        _eachWatched(_checkRecords);
    }

    function check_05_units_never_pass_the_clock() public view {
        _eachWatched(_checkClock);
    }

    function check_06_free_balances_are_what_their_owners_left() public view {
        address[] memory owners = _handler.owners();
        for (uint256 i; i < owners.length; ++i) {
            vm.assertEq(_escrow.balanceOf(owners[i]), _handler.free(owners[i]), "6: balance");
        }
    }

    function check_09_nothing_accrues_after_a_stop_and_its_prepay() public view {
        _eachWatched(_checkStop);
    }

    function check_12_fees_are_half_a_percent_of_each_charge() public view {
        uint256 fees = _token.balanceOf(_treasury) + _escrow.balanceOf(_treasury);
        vm.assertEq(fees, _handler.feesEarned(), "12: fees");
    }

    function check_13_devices_in_use_are_those_of_open_leases() public view {
        for (uint256 i; i < 4; ++i) {
            uint256 inUse = _escrow.devicesInUse(_handler.agentKeyOf(i));
            vm.assertEq(inUse, _handler.devicesInUse(i), "13: devices in use");
            vm.assertLe(inUse, _handler.offeredDevices(), "13: more devices than on offer");
        }
    }

    function check_16_a_session_has_spent_what_its_leases_hold_or_cost() public view {
        for (uint256 i; i < _handler.sessionCount(); ++i) {
            (address renter, address key, ModelStore.ModelSession memory known) = _handler.sessionAt(i);
            ILeaseTypes.Session memory stored = _escrow.session(renter, key);
            vm.assertEq(stored.spent, known.spent, "16: spent");
            vm.assertEq(stored.spendLimit, known.limit, "16: limit");
            vm.assertEq(stored.validUntil, known.validUntil, "16: validUntil");
        }
    }

    function _eachWatched(function(bytes32, LeaseModel.Lease memory) internal view check) private view {
        bytes32[] memory ids = _handler.watched();
        for (uint256 i; i < ids.length; ++i) {
            check(ids[i], _handler.load(ids[i]));
        }
    }

    function _checkPaidIn(bytes32, LeaseModel.Lease memory lease) private pure {
        vm.assertEq(lease.roster.deposit + lease.refunded, lease.paidIn, "2: held and refunded");
    }

    function _checkCharge(bytes32 id, LeaseModel.Lease memory lease) private view {
        uint256 charged = _escrow.lease(id).charged;
        vm.assertEq(charged, lease.chargeOf(lease.paid), "3: charge is not units times rate");
        vm.assertLe(charged, lease.owed(), "3: charged more than can be owed");
        vm.assertLe(lease.owed(), lease.roster.deposit, "3: the deposit does not cover what can be owed");
    }

    function _checkRecords(bytes32 id, LeaseModel.Lease memory lease) private view {
        ILeaseTypes.Lease memory stored = _escrow.lease(id);
        vm.assertEq(uint256(stored.state), 1, "4: state");
        vm.assertEq(stored.openedAt, lease.openedAt, "4: openedAt");
        vm.assertEq(stored.stopAt, lease.stopAt, "4: stopAt");
        vm.assertEq(stored.checkpointedAt, lease.checkpointedAt, "4: checkpointedAt");
        bytes32 units = lease.recorded == 0 ? bytes32(0) : keccak256(abi.encodePacked(lease.record()));
        vm.assertEq(_escrow.paidUnitsHash(id), units, "4: record of units");
        bytes32 roster = lease.changed ? _hashRoster(lease) : bytes32(0);
        vm.assertEq(_escrow.rosterHash(id), roster, "4: record of the roster");
    }

    function _checkClock(bytes32, LeaseModel.Lease memory lease) private view {
        for (uint256 m; m < lease.paid.length; ++m) {
            if (lease.roster.until[m] == LeaseModel.LEFT) continue;
            uint256 elapsed = lease.secondsOf(m, 0, block.timestamp);
            vm.assertLe(lease.paid[m], lease.members[m].devices * elapsed, "5: units passed the clock");
        }
    }

    function _checkStop(bytes32, LeaseModel.Lease memory lease) private pure {
        if (lease.stopAt == 0) return;
        uint256 most = lease.stopAt + lease.order.prepay - lease.openedAt;
        for (uint256 m; m < lease.paid.length; ++m) {
            vm.assertLe(lease.paid[m], lease.members[m].devices * most, "9: accrued after the stop");
        }
    }

    /// @dev From the leases themselves, against the sums that the handler keeps.
    function _checkOpen() private view {
        bytes32[] memory ids = _handler.openLeases();
        uint256[4] memory devices;
        uint256 held;
        for (uint256 i; i < ids.length; ++i) {
            LeaseModel.Lease memory lease = _handler.load(ids[i]);
            _checkPaidIn(ids[i], lease);
            _checkCharge(ids[i], lease);
            _checkRecords(ids[i], lease);
            _checkClock(ids[i], lease);
            _checkStop(ids[i], lease);
            held += lease.roster.deposit - lease.charged;
            for (uint256 m; m < lease.agents.length; ++m) {
                if (lease.roster.until[m] != LeaseModel.LEFT) {
                    devices[lease.agents[m]] += lease.members[m].devices;
                }
            }
        }
        vm.assertEq(held, _handler.held(), "1: open leases hold");
        for (uint256 i; i < 4; ++i) {
            vm.assertEq(devices[i], _handler.devicesInUse(i), "13: devices of open leases");
        }
    }

    /// @dev Runs once at the end of every run: everything above over all open leases, then 2, 8, 10, 12 and 16 over every
    /// lease that ever was.
    function afterInvariant() public {
        _checkOpen();
        _handler.endAll();
        uint256 fees;
        uint256[] memory spent = new uint256[](_handler.sessionCount());
        for (uint256 i; i < _handler.leaseCount(); ++i) {
            (bytes32 id, LeaseModel.Lease memory lease) = _handler.leaseAt(i);
            _checkEnded(id, lease);
            for (uint256 m; m < lease.paid.length; ++m) {
                fees += lease.memberCharge(lease.paid, m) * 50 / 10_000;
            }
            for (uint256 s; s < spent.length; ++s) {
                (address renter, address key,) = _handler.sessionAt(s);
                bool isIts = lease.order.renter == renter && lease.order.session == key;
                if (isIts) spent[s] += lease.charged;
            }
        }
        vm.assertEq(fees, _handler.feesEarned(), "12: fees of all leases");
        for (uint256 s; s < spent.length; ++s) {
            (address renter, address key,) = _handler.sessionAt(s);
            vm.assertEq(_escrow.session(renter, key).spent, spent[s], "16: spent on all leases");
        }
        check_01_the_escrow_holds_exactly_what_it_owes();
        check_06_free_balances_are_what_their_owners_left();
        check_13_devices_in_use_are_those_of_open_leases();
    }

    /// @dev Against invariants that hold because nothing happens.
    function test_the_handler_reaches_every_outcome() public {
        for (uint256 i; i < 2600; ++i) {
            uint256 a = uint256(keccak256(abi.encode(i)));
            uint256 b = uint256(keccak256(abi.encode(a)));
            uint256 kind = i % 13;
            if (kind < 3) _handler.open(a);
            else if (kind < 5) _handler.checkpoint(a, b);
            else if (kind < 8) _handler.change(a, b);
            else if (kind == 8) _handler.leave(a, b);
            else if (kind == 9) i % 2 == 0 ? _handler.close(a, b) : _handler.finalize(a, b);
            else if (kind == 10) _handler.stop(a, b);
            else if (kind == 11) _handler.moveMoney(a, b);
            else i % 2 == 0 ? _handler.grantSession(a, b) : _handler.revokeSession(a);
            if (i % 3 == 0) _handler.pass(b);
            if (i % 97 == 0) _handler.cancelAsks(a);
        }
        string[32] memory outcomes = [
            "opened",
            "not opened",
            "direct",
            "authorization",
            "permit",
            "balance",
            "session",
            "set",
            "paid",
            "unpaid",
            "front-run row paid",
            "closed",
            "left open",
            "finalized",
            "early",
            "left",
            "stayed",
            "stopped",
            "stopped by signature",
            "not stopped",
            "changed",
            "unchanged",
            "added",
            "dismissed",
            "prolonged",
            "deposit raised",
            "deposit lowered",
            "change authorized",
            "changed by a session key",
            "granted",
            "not granted",
            "withdrawn by signature"
        ];
        for (uint256 i; i < outcomes.length; ++i) {
            vm.assertGe(_handler.reached(outcomes[i]), 2, outcomes[i]);
        }
        afterInvariant();
    }

    function _checkEnded(bytes32 id, LeaseModel.Lease memory lease) private view {
        ILeaseTypes.Lease memory stored = _escrow.lease(id);
        vm.assertEq(uint256(stored.state), 2, "10: every lease ended");
        vm.assertEq(stored.openedAt, lease.openedAt, "8: openedAt stays");
        vm.assertEq(stored.stopAt, lease.stopAt, "8: stopAt stays");
        vm.assertEq(stored.charged, lease.charged, "8: charge stays");
        vm.assertEq(stored.charged + lease.refunded, lease.paidIn, "2: shared out completely");
        vm.assertEq(_escrow.paidUnitsHash(id), 0, "4: record of units is gone");
        vm.assertEq(_escrow.rosterHash(id), 0, "4: record of the roster is gone");
    }

    /// @dev Written out from what `ILeaseTypes.Roster` is, with `abi.encode` alone.
    function _hashRoster(LeaseModel.Lease memory lease) private pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](lease.members.length);
        bytes32 typehash =
            keccak256("Member(bytes32 ask,address operator,address agentKey,uint32 devices,uint64 rate)");
        for (uint256 i; i < hashes.length; ++i) {
            hashes[i] = keccak256(abi.encode(typehash, lease.members[i]));
        }
        ILeaseTypes.Roster memory roster = lease.roster;
        return keccak256(
            abi.encode(
                roster.opened,
                roster.maxSeconds,
                roster.deposit,
                keccak256(abi.encodePacked(roster.from)),
                keccak256(abi.encodePacked(roster.until)),
                keccak256(abi.encodePacked(hashes))
            )
        );
    }
}
