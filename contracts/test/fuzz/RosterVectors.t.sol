// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {EscrowFixture} from "../EscrowFixture.sol";

/// @notice What TypeScript says is payable in changed leases, and what their deposit has to cover, against the escrow.
/// @dev The file is written by tools/gen-vectors.ts. Leases are written straight into the escrow's storage: rosters like
/// these would take a dozen transactions each.
contract RosterVectorsTest is EscrowFixture {
    struct RosterCase {
        uint256 openedAt;
        uint256 stopAt;
        uint256 prepay;
        uint256 now;
        uint256 maxSeconds;
        uint256[] devices;
        uint256[] rate;
        uint256[] from;
        uint256[] until;
        uint256[] paid;
        uint256[] units;
        uint256[] accrueFrom;
        uint256[] payableNow;
        uint256[] charges;
        uint256 owed;
    }

    string private constant CASE =
        "RosterCase(uint256 openedAt,uint256 stopAt,uint256 prepay,uint256 now,uint256 maxSeconds,uint256[] devices,uint256[] rate,uint256[] from,uint256[] until,uint256[] paid,uint256[] units,uint256[] accrueFrom,uint256[] payableNow,uint256[] charges,uint256 owed)";
    // Of the mappings in `EscrowState`, behind two words of EIP712 and one of Nonces.
    uint256 private constant LEASES = 4;
    uint256 private constant PAID_UNITS = 5;
    uint256 private constant ROSTERS = 6;

    RosterCase[] private _cases;

    function setUp() public override {
        super.setUp();
        string memory json = vm.readFile("../packages/protocol/vectors/rosters.json");
        RosterCase[] memory cases = abi.decode(vm.parseJsonTypeArray(json, ".cases", CASE), (RosterCase[]));
        vm.assertGe(cases.length, 100, "too few cases to mean anything");
        for (uint256 i; i < cases.length; ++i) {
            _cases.push(cases[i]);
        }
    }

    function test_vouchers_pay_in_changed_leases_what_typescript_computes() public {
        for (uint256 i; i < _cases.length; ++i) {
            RosterCase memory c = _cases[i];
            (ILeaseTypes.Settlement memory settlement, bytes32 id) = _store(c, i);
            uint256 before = escrow.lease(id).charged;
            bool rises;
            uint256 charge;
            for (uint256 m; m < c.devices.length; ++m) {
                if (c.payableNow[m] > c.paid[m]) rises = true;
                charge += c.charges[m];
            }
            string memory name = string.concat("case ", vm.toString(i));
            vm.assertEq(checkpoint(settlement), rises ? 1 : 0, name);
            bytes32 expected = keccak256(abi.encodePacked(_uint96s(rises ? c.payableNow : c.paid)));
            vm.assertEq(escrow.paidUnitsHash(id), expected, name);
            vm.assertEq(escrow.lease(id).charged, rises ? charge : before, name);
        }
    }

    function test_a_deposit_has_to_cover_what_typescript_says_is_owed() public {
        for (uint256 i; i < _cases.length; ++i) {
            RosterCase memory c = _cases[i];
            (ILeaseTypes.Settlement memory settlement, bytes32 id) = _store(c, i);
            if (c.owed == 0) continue;
            ILeaseTypes.Change memory change = ILeaseTypes.Change(
                escrow.rosterHash(id), 0, uint40(c.maxSeconds), uint96(c.owed - 1), type(uint40).max
            );
            ILeaseTypes.MatchedAsk[] memory nobody;
            ILeaseTypes.Ask[] memory none;
            vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.DepositTooSmall.selector, c.owed - 1, c.owed));
            vm.prank(renter);
            escrow.change(settlement, change, nobody, none, "");
            change.deposit = uint96(c.owed);
            vm.prank(renter);
            escrow.change(settlement, change, nobody, none, "");
        }
    }

    /// @dev An open lease of this case; its row with a voucher for `units`.
    function _store(RosterCase memory c, uint256 salt)
        private
        returns (ILeaseTypes.Settlement memory settlement, bytes32 id)
    {
        vm.warp(c.now);
        settlement.order = orderFor(asksOf(1));
        settlement.order.salt = salt;
        settlement.order.prepay = uint16(c.prepay);
        settlement.members = _members(c);
        settlement.paidUnits = _uint96s(c.paid);
        settlement.roster = new ILeaseTypes.Roster[](1);
        settlement.roster[0] = ILeaseTypes.Roster(
            uint32(c.devices.length),
            uint40(c.maxSeconds),
            type(uint96).max,
            _uint40s(c.from),
            _uint40s(c.until)
        );
        id = digests.hashOrder(settlement.order, settlement.members);
        settlement.voucher = voucher(id, _uint96s(c.units), _uint40s(c.accrueFrom), METER_KEY);
        _write(LEASES, id, _packed(c));
        _write(PAID_UNITS, id, keccak256(abi.encodePacked(settlement.paidUnits)));
        _write(ROSTERS, id, digests.hashRoster(settlement.roster[0], settlement.members));
        // What the lowering of this deposit refunds.
        token.mint(address(escrow), type(uint96).max);
    }

    /// @dev `ILeaseTypes.Lease` in its slot, from the lowest bits up: active, changed, checkpointed at its opening.
    function _packed(RosterCase memory c) private pure returns (bytes32) {
        uint256 charged;
        for (uint256 m; m < c.paid.length; ++m) {
            charged += c.paid[m] * c.rate[m] / 1e9;
        }
        uint256 times = c.openedAt << 16 | c.stopAt << 56 | c.openedAt << 96;
        return bytes32(1 | 1 << 8 | times | uint256(FEE_BPS) << 136 | charged << 152);
    }

    function _write(uint256 mappingSlot, bytes32 key, bytes32 value) private {
        vm.store(address(escrow), keccak256(abi.encode(key, mappingSlot)), value);
    }

    function _members(RosterCase memory c) private pure returns (ILeaseTypes.Member[] memory members) {
        members = new ILeaseTypes.Member[](c.devices.length);
        for (uint256 m; m < members.length; ++m) {
            members[m] = ILeaseTypes.Member(
                bytes32(m), operatorOf(m), agentKey(m), uint32(c.devices[m]), uint64(c.rate[m])
            );
        }
    }

    function _uint96s(uint256[] memory wide) private pure returns (uint96[] memory narrow) {
        narrow = new uint96[](wide.length);
        for (uint256 i; i < wide.length; ++i) {
            narrow[i] = uint96(wide[i]);
        }
    }

    function _uint40s(uint256[] memory wide) private pure returns (uint40[] memory narrow) {
        narrow = new uint40[](wide.length);
        for (uint256 i; i < wide.length; ++i) {
            narrow[i] = uint40(wide[i]);
        }
    }
}
