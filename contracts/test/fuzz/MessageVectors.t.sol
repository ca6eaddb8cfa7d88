// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {ILeaseEscrow} from "../../src/interfaces/ILeaseEscrow.sol";
import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {LeaseDigests} from "../../src/LeaseDigests.sol";
import {Test} from "../Test.sol";

/// @notice Changes, rosters, sessions, sets and signed exits: the digests that TypeScript gives them.
/// @dev The file is written by tools/gen-vectors.ts. Integers are decimal strings.
contract MessageVectorsTest is Test {
    string private _json;
    LeaseDigests private _digests;
    bytes32 private _leaseId;

    function setUp() public {
        _json = vm.readFile("../packages/protocol/vectors/messages.json");
        vm.chainId(_uint(".chainId"));
        ILeaseEscrow escrow = ILeaseEscrow(_address(".escrow"));
        bytes memory terms =
            abi.encode(address(1), _address(".operators"), address(2), uint16(50), address(0));
        address extension = vm.deployCode("LeaseExtension.sol:LeaseExtension", terms);
        deployTo("LeaseEscrow.sol:LeaseEscrow", abi.encode(extension), address(escrow));
        _digests = LeaseDigests(vm.deployCode("LeaseDigests.sol:LeaseDigests", abi.encode(escrow)));
        _leaseId = _word(".leaseId");
    }

    function test_members_and_rosters_have_the_hashes_of_typescript() public view {
        ILeaseTypes.Roster memory roster;
        roster.opened = uint32(_uint(".roster.opened"));
        roster.maxSeconds = uint40(_uint(".roster.maxSeconds"));
        roster.deposit = uint96(_uint(".roster.deposit"));
        (roster.from, roster.until) = (_times(".roster.from"), _times(".roster.until"));
        ILeaseTypes.Member[] memory members = _members();
        _equal("membersHash", _digests.hashMembers(members));
        _equal("rosterHash", _digests.hashRoster(roster, members));
    }

    function test_changes_have_the_digests_of_typescript() public view {
        ILeaseTypes.Change memory change = ILeaseTypes.Change(
            _word(".change.before"),
            _uint(".change.dismissed"),
            uint40(_uint(".change.maxSeconds")),
            uint96(_uint(".change.deposit")),
            uint40(_uint(".change.changeBy"))
        );
        _equal("changeDigest", _digests.hashChange(_leaseId, change, _members()));
        ILeaseTypes.Member[] memory nobody;
        _equal("changeDigestWithoutMembers", _digests.hashChange(_leaseId, change, nobody));
    }

    function test_grants_have_the_digest_of_typescript() public view {
        ILeaseTypes.SessionGrant memory grant = ILeaseTypes.SessionGrant(
            _address(".grant.renter"),
            _address(".grant.key"),
            uint96(_uint(".grant.spendLimit")),
            uint64(_uint(".grant.maxRate")),
            uint32(_uint(".grant.maxDevices")),
            uint40(_uint(".grant.validUntil")),
            _uint(".grant.nonce")
        );
        _equal("grantDigest", _digests.hashSessionGrant(grant));
    }

    function test_sets_have_the_digest_of_typescript_and_its_proofs_hold() public view {
        ILeaseTypes.OrderSet memory set = ILeaseTypes.OrderSet(
            _address(".set.renter"),
            _word(".set.root"),
            uint32(_uint(".set.count")),
            uint128(_uint(".set.totalDeposit")),
            uint40(_uint(".set.openBy")),
            _uint(".set.salt")
        );
        _equal("setDigest", _digests.hashOrderSet(set));
        bytes32[] memory leaves = vm.parseJsonBytes32Array(_json, ".setLeaves");
        vm.assertEq(leaves.length, set.count, "leaves");
        for (uint256 i; i < leaves.length; ++i) {
            string memory at = string.concat(".setProofs[", vm.toString(i), "]");
            bytes32[] memory proof = vm.parseJsonBytes32Array(_json, at);
            vm.assertTrue(MerkleProof.verify(proof, set.root, leaves[i]), at);
            vm.assertFalse(MerkleProof.verify(proof, set.root, ~leaves[i]), at);
        }
    }

    function test_stops_and_withdrawals_have_the_digests_of_typescript() public view {
        _equal("stopDigest", _digests.hashStop(_leaseId, uint40(_uint(".stop.deadline"))));
        bytes32 withdraw = _digests.hashWithdraw(
            _address(".withdraw.owner"),
            _address(".withdraw.to"),
            _uint(".withdraw.amount"),
            _uint(".withdraw.nonce"),
            uint40(_uint(".withdraw.deadline"))
        );
        _equal("withdrawDigest", withdraw);
    }

    function _members() private view returns (ILeaseTypes.Member[] memory members) {
        uint256 count;
        while (vm.keyExistsJson(_json, string.concat(".members[", vm.toString(count), "]"))) ++count;
        vm.assertGe(count, 2, "too few members");
        members = new ILeaseTypes.Member[](count);
        for (uint256 i; i < count; ++i) {
            string memory at = string.concat(".members[", vm.toString(i), "]");
            members[i] = ILeaseTypes.Member(
                _word(string.concat(at, ".ask")),
                _address(string.concat(at, ".operator")),
                _address(string.concat(at, ".agentKey")),
                uint32(_uint(string.concat(at, ".devices"))),
                uint64(_uint(string.concat(at, ".rate")))
            );
        }
    }

    function _times(string memory key) private view returns (uint40[] memory times) {
        uint256[] memory wide = vm.parseJsonUintArray(_json, key);
        times = new uint40[](wide.length);
        for (uint256 i; i < wide.length; ++i) {
            times[i] = uint40(wide[i]);
        }
    }

    function _uint(string memory key) private view returns (uint256) {
        return vm.parseJsonUint(_json, key);
    }

    function _address(string memory key) private view returns (address) {
        return vm.parseJsonAddress(_json, key);
    }

    function _word(string memory key) private view returns (bytes32) {
        return vm.parseJsonBytes32(_json, key);
    }

    function _equal(string memory name, bytes32 digest) private view {
        vm.assertEq(digest, _word(string.concat(".", name)), name);
    }
}
