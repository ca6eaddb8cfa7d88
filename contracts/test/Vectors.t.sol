// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseEscrow} from "../src/interfaces/ILeaseEscrow.sol";
import {LeaseDigests} from "../src/LeaseDigests.sol";
import {ILeaseTypes} from "../src/interfaces/ILeaseTypes.sol";
import {IOperators} from "../src/interfaces/IOperators.sol";
import {Metering} from "../src/libraries/Metering.sol";
import {Test} from "./Test.sol";

/// @notice The vectors that TypeScript is held to as well: same digests, same charges.
/// @dev Files are written by tools/gen-vectors.ts. Integers are decimal strings.
contract VectorsTest is Test {
    struct Case {
        uint256 units;
        uint256 devices;
        uint256 rate;
        uint256 openedAt;
        uint256 accrueFrom;
        uint256 now;
        uint256 stopAt;
        uint256 maxSeconds;
        uint256 prepay;
        uint256 payableUnits;
        uint256 charge;
    }

    string private constant CASE =
        "Case(uint256 units,uint256 devices,uint256 rate,uint256 openedAt,uint256 accrueFrom,uint256 now,uint256 stopAt,uint256 maxSeconds,uint256 prepay,uint256 payableUnits,uint256 charge)";
    string private constant FOLDER = "../packages/protocol/vectors/";

    function test_messages_have_the_digests_that_typescript_gives_them() public {
        string memory json = vm.readFile(string.concat(FOLDER, "messages.json"));
        vm.chainId(vm.parseJsonUint(json, ".chainId"));
        ILeaseEscrow escrow = ILeaseEscrow(vm.parseJsonAddress(json, ".escrow"));
        IOperators operators = IOperators(vm.parseJsonAddress(json, ".operators"));
        deployTo("Operators.sol:Operators", abi.encode(address(1), uint128(0)), address(operators));
        LeaseDigests digests = _digestsAt(escrow, operators);

        _equal(json, "askDigest", digests.hashAsk(_ask(json)));
        bytes32 leaseId = digests.hashOrder(_order(json), _members(json));
        _equal(json, "leaseId", leaseId);
        (uint96[] memory units, uint40[] memory accrueFrom) = _voucher(json);
        _equal(json, "voucherDigest", digests.hashVoucher(leaseId, units, accrueFrom));
        uint96 claimed = uint96(_uint(json, ".close.units"));
        _equal(json, "closeDigest", digests.hashClose(leaseId, uint32(_uint(json, ".close.member")), claimed));
        _equal(
            json,
            "joinDigest",
            operators.hashJoin(
                vm.parseJsonAddress(json, ".join.operator"), vm.parseJsonAddress(json, ".join.agentKey")
            )
        );
    }

    function test_charges_are_those_that_typescript_computes() public view {
        string memory json = vm.readFile(string.concat(FOLDER, "charges.json"));
        Case[] memory cases = abi.decode(vm.parseJsonTypeArray(json, ".cases", CASE), (Case[]));
        vm.assertGe(cases.length, 100, "too few cases to mean anything");
        for (uint256 i; i < cases.length; ++i) {
            Case memory c = cases[i];
            uint256 until = Metering.payableUntil(c.now, c.openedAt, c.stopAt, c.maxSeconds, c.prepay);
            uint256 proven = Metering.payableUnits(c.units, c.devices, c.openedAt, c.accrueFrom, until);
            vm.assertEq(proven, c.payableUnits, string.concat("payableUnits of case ", vm.toString(i)));
            uint256 charge = Metering.chargeDown(proven, c.rate);
            vm.assertEq(charge, c.charge, string.concat("charge of case ", vm.toString(i)));
        }
    }

    function _ask(string memory json) private pure returns (ILeaseTypes.Ask memory ask) {
        ask.operator = vm.parseJsonAddress(json, ".ask.operator");
        ask.agentKey = vm.parseJsonAddress(json, ".ask.agentKey");
        ask.resource = vm.parseJsonBytes32(json, ".ask.resource");
        ask.devices = uint32(_uint(json, ".ask.devices"));
        ask.rate = uint64(_uint(json, ".ask.rate"));
        ask.maxSeconds = uint40(_uint(json, ".ask.maxSeconds"));
        ask.closeWindow = uint32(_uint(json, ".ask.closeWindow"));
        ask.prepay = uint16(_uint(json, ".ask.prepay"));
        ask.maxFeeBps = uint16(_uint(json, ".ask.maxFeeBps"));
        ask.validUntil = uint40(_uint(json, ".ask.validUntil"));
        ask.epoch = uint32(_uint(json, ".ask.epoch"));
        ask.salt = _uint(json, ".ask.salt");
    }

    function _digestsAt(ILeaseEscrow escrow, IOperators operators) private returns (LeaseDigests) {
        address extension = vm.deployCode(
            "LeaseExtension.sol:LeaseExtension",
            abi.encode(address(1), address(operators), address(2), uint16(50), address(0))
        );
        deployTo("LeaseEscrow.sol:LeaseEscrow", abi.encode(extension), address(escrow));
        return LeaseDigests(vm.deployCode("LeaseDigests.sol:LeaseDigests", abi.encode(escrow)));
    }

    function _members(string memory json) private view returns (ILeaseTypes.Member[] memory members) {
        uint256 count;
        while (vm.keyExistsJson(json, string.concat(".members[", vm.toString(count), "]"))) ++count;
        vm.assertGe(count, 1, "no members");
        members = new ILeaseTypes.Member[](count);
        for (uint256 i; i < count; ++i) {
            string memory at = string.concat(".members[", vm.toString(i), "]");
            members[i] = ILeaseTypes.Member(
                vm.parseJsonBytes32(json, string.concat(at, ".ask")),
                vm.parseJsonAddress(json, string.concat(at, ".operator")),
                vm.parseJsonAddress(json, string.concat(at, ".agentKey")),
                uint32(_uint(json, string.concat(at, ".devices"))),
                uint64(_uint(json, string.concat(at, ".rate")))
            );
        }
    }

    function _order(string memory json) private pure returns (ILeaseTypes.Order memory order) {
        order.renter = vm.parseJsonAddress(json, ".order.renter");
        order.session = vm.parseJsonAddress(json, ".order.session");
        order.meterKey = vm.parseJsonAddress(json, ".order.meterKey");
        order.deposit = uint96(_uint(json, ".order.deposit"));
        order.maxSeconds = uint40(_uint(json, ".order.maxSeconds"));
        order.closeWindow = uint32(_uint(json, ".order.closeWindow"));
        order.prepay = uint16(_uint(json, ".order.prepay"));
        order.maxFeeBps = uint16(_uint(json, ".order.maxFeeBps"));
        order.openBy = uint40(_uint(json, ".order.openBy"));
        order.workload = vm.parseJsonBytes32(json, ".order.workload");
        order.salt = _uint(json, ".order.salt");
    }

    function _voucher(string memory json)
        private
        pure
        returns (uint96[] memory units, uint40[] memory accrueFrom)
    {
        uint256[] memory wideUnits = vm.parseJsonUintArray(json, ".voucher.units");
        uint256[] memory wideFrom = vm.parseJsonUintArray(json, ".voucher.accrueFrom");
        (units, accrueFrom) = (new uint96[](wideUnits.length), new uint40[](wideFrom.length));
        for (uint256 i; i < wideUnits.length; ++i) {
            (units[i], accrueFrom[i]) = (uint96(wideUnits[i]), uint40(wideFrom[i]));
        }
    }

    function _uint(string memory json, string memory key) private pure returns (uint256) {
        return vm.parseJsonUint(json, key);
    }

    function _equal(string memory json, string memory name, bytes32 digest) private pure {
        vm.assertEq(digest, vm.parseJsonBytes32(json, string.concat(".", name)), name);
    }
}
