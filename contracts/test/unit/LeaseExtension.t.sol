// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseEscrow} from "../../src/interfaces/ILeaseEscrow.sol";
import {ILeaseExtension} from "../../src/interfaces/ILeaseExtension.sol";
import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {ChangeFixture} from "../ChangeFixture.sol";

interface IExtended {
    function extension() external view returns (address);
}

/// @notice The escrow is two contracts with one storage: the second half does nothing by itself.
contract LeaseExtensionTest is ChangeFixture {
    ILeaseEscrow private _extension;

    function setUp() public override {
        super.setUp();
        _extension = ILeaseEscrow(IExtended(address(escrow)).extension());
    }

    function test_it_refuses_every_direct_call() public {
        Live memory l = liveOf(1);
        bytes[] memory calls = _calls(l);
        for (uint256 i; i < calls.length; ++i) {
            vm.prank(renter);
            (bool done, bytes memory reason) = address(_extension).call(calls[i]);
            vm.assertFalse(done, "done");
            vm.assertEq(
                keccak256(reason), keccak256(abi.encodePacked(ILeaseTypes.OnlyThroughEscrow.selector)), "why"
            );
        }
    }

    function test_it_says_its_terms_to_whoever_asks() public view {
        bytes32 said = keccak256(abi.encode(_extension.terms()));
        vm.assertEq(said, keccak256(abi.encode(escrow.terms())), "terms");
    }

    function test_both_halves_are_the_same_eip712_domain_seen_through_the_escrow() public {
        Live memory l = liveOf(1);
        // `stopFor` is checked in the extension; the digest names the escrow.
        bytes memory signature = sign(RENTER_KEY, digests.hashStop(l.d.leaseId, uint40(START)));
        escrow.stopFor(l.d.order, l.d.membersHash, uint40(START), signature);
    }

    function test_what_neither_half_has_reverts() public {
        (bool done, bytes memory reason) = address(escrow).call(abi.encodeWithSignature("owner()"));
        vm.assertFalse(done, "unknown");
        vm.assertEq(reason.length, 0, "without a reason");
        (done,) = address(escrow).call("");
        vm.assertFalse(done, "nothing");
        (done,) = address(escrow).call(hex"010203");
        vm.assertFalse(done, "less than a selector");
    }

    function test_neither_half_takes_coin_of_the_chain() public {
        (bool done,) = address(escrow).call{value: 1}("");
        vm.assertFalse(done, "plain");
        (done,) = address(escrow).call{value: 1}(abi.encodeCall(ILeaseExtension.revokeSession, (session)));
        vm.assertFalse(done, "through the escrow");
        (done,) = address(_extension).call{value: 1}("");
        vm.assertFalse(done, "the extension");
    }

    function test_errors_of_the_extension_come_through_as_they_are() public {
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.SignatureExpired.selector, 7));
        escrow.withdrawFor(renter, renter, 1, 7, "");
    }

    /// @dev The same slots hold the same things: what one half writes at a slot, the other reads. Slots as
    /// `forge inspect LeaseEscrow storageLayout` gives them, after the strings of EIP-712 and the nonces.
    function test_both_halves_have_one_storage() public {
        Live memory l = liveOf(1);
        grant(grantOf(renter));
        vm.warp(START + 100);
        checkpoint(rowOf(l, all(1, 60)));
        l.paid = all(1, 60);
        change(l, changeOf(l), nobody());
        address at = address(escrow);
        vm.assertEq(uint256(vm.load(at, _slot(_key(renter), 2))), nonceOf(renter), "nonces");
        vm.assertEq(uint256(vm.load(at, _slot(_key(renter), 3))) & type(uint128).max, FUNDS, "balances");
        vm.assertEq(uint256(vm.load(at, _slot(l.d.leaseId, 4))) & 0xff, 1, "leases");
        vm.assertEq(vm.load(at, _slot(l.d.leaseId, 5)), escrow.paidUnitsHash(l.d.leaseId), "units");
        vm.assertEq(vm.load(at, _slot(l.d.leaseId, 6)), escrow.rosterHash(l.d.leaseId), "rosters");
        vm.assertEq(uint256(vm.load(at, _slot(_key(agentKey(0)), 7))), 2, "devices");
        bytes32 ofRenter = _slot(_key(renter), 8);
        bytes32 first = vm.load(at, keccak256(abi.encode(session, ofRenter)));
        vm.assertEq(uint256(first) & type(uint96).max, SPEND_LIMIT, "sessions");
        vm.assertGe(nonceOf(renter), 1, "a nonce was used");
        vm.assertTrue(escrow.rosterHash(l.d.leaseId) != 0, "it was changed");
        for (uint256 i; i < 16; ++i) {
            vm.assertEq(vm.load(address(_extension), bytes32(i)), 0, "the extension's own is empty");
        }
    }

    function _calls(Live memory l) private view returns (bytes[] memory calls) {
        ILeaseTypes.Settlement memory row_ = rowOf(l);
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        ILeaseTypes.Change memory c = changeOf(l);
        ILeaseTypes.OrderSet memory set;
        bytes32[] memory proof;
        calls = new bytes[](19);
        calls[0] = abi.encodeCall(ILeaseExtension.grantSession, (g, ""));
        calls[1] = abi.encodeCall(ILeaseExtension.grantSessionWithAuthorization, (g, 1, 0, 0, 0, 0, 0));
        calls[2] = abi.encodeCall(ILeaseExtension.revokeSession, (session));
        calls[3] = abi.encodeCall(ILeaseExtension.change, (row_, c, nobody(), noAsks(), ""));
        calls[4] = abi.encodeCall(
            ILeaseExtension.changeWithAuthorization, (row_, c, nobody(), noAsks(), 0, 0, 0, 0, 0)
        );
        calls[5] = abi.encodeCall(ILeaseExtension.leave, (new ILeaseTypes.Leaving[](0)));
        calls[6] = abi.encodeCall(ILeaseExtension.stop, (l.d.order, l.d.membersHash));
        calls[7] = abi.encodeCall(ILeaseExtension.stopFor, (l.d.order, l.d.membersHash, 0, ""));
        calls[8] = abi.encodeCall(ILeaseExtension.withdrawFor, (renter, renter, 0, 0, ""));
        calls[9] = abi.encodeCall(ILeaseExtension.sweep, (new address[](0)));
        calls[10] = abi.encodeCall(ILeaseExtension.balanceOf, (renter));
        calls[11] = abi.encodeCall(ILeaseExtension.lease, (l.d.leaseId));
        calls[12] = abi.encodeCall(ILeaseExtension.paidUnitsHash, (l.d.leaseId));
        calls[13] = abi.encodeCall(ILeaseExtension.rosterHash, (l.d.leaseId));
        calls[14] = abi.encodeCall(ILeaseExtension.devicesInUse, (agentKey(0)));
        calls[15] = abi.encodeCall(ILeaseExtension.session, (renter, session));
        calls[16] = abi.encodeCall(ILeaseExtension.setUse, (0));
        calls[17] = abi.encodeCall(ILeaseExtension.openFromSet, (l.d.order, l.d.asks, set, proof, ""));
        calls[18] = abi.encodeCall(ILeaseExtension.fundSet, (set, 0, 0, 0, 0, 0));
    }

    function _key(address owner) private pure returns (bytes32) {
        return bytes32(uint256(uint160(owner)));
    }

    function _slot(bytes32 key, uint256 at) private pure returns (bytes32) {
        return keccak256(abi.encode(key, at));
    }
}
