// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseCore} from "../../src/interfaces/ILeaseCore.sol";
import {ILeaseExtension} from "../../src/interfaces/ILeaseExtension.sol";
import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {HostileFixture} from "./HostileFixture.sol";

/// @notice A token that calls back while it moves: into either half of the escrow, from either half.
contract CallingBackTest is HostileFixture {
    bytes4 private constant REENTERED = bytes4(keccak256("ReentrancyGuardReentrantCall()"));

    function test_every_function_is_shut_while_money_comes_in() public {
        bytes[] memory entries = _entries();
        for (uint256 i; i < entries.length; ++i) {
            hostile.callBack(address(escrow), entries[i]);
            vm.prank(renter);
            escrow.deposit(1);
            _requireShut(i);
        }
    }

    /// @dev From the extension, so that the guard is seen to be one for both.
    function test_every_function_is_shut_while_money_goes_out_through_the_extension() public {
        bytes[] memory entries = _entries();
        for (uint256 i; i < entries.length; ++i) {
            hostile.callBack(address(escrow), entries[i]);
            uint256 nonce = nonceOf(renter);
            bytes memory signature =
                sign(RENTER_KEY, digests.hashWithdraw(renter, relayer, 1, nonce, type(uint40).max));
            escrow.withdrawFor(renter, relayer, 1, type(uint40).max, signature);
            _requireShut(i);
        }
    }

    function test_what_a_change_frees_is_paid_once() public {
        Live memory l = liveOf(2);
        leaves(l, rowOf(l), 0, 0);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit = owed(l);
        hostile.callBack(
            address(escrow), abi.encodeCall(ILeaseExtension.change, (rowOf(l), c, nobody(), noAsks(), ""))
        );
        uint256 before = token.balanceOf(renter);
        change(l, c, nobody());
        vm.assertEq(hostile.calls(), 1, "called back");
        vm.assertEq(token.balanceOf(renter) - before, l.d.order.deposit - c.deposit, "once");
    }

    function _requireShut(uint256 i) private view {
        string memory name = vm.toString(i);
        vm.assertEq(hostile.calls(), 1, string.concat("called back ", name));
        vm.assertFalse(hostile.callSucceeded(), string.concat("got in ", name));
        vm.assertEq(bytes32(bytes4(hostile.answer())), bytes32(REENTERED), string.concat("guarded ", name));
    }

    function _entries() private returns (bytes[] memory entries) {
        entries = new bytes[](31);
        uint256 at = _coreEntries(entries);
        at = _extensionEntries(entries, at);
        vm.assertEq(at, entries.length, "all of them");
    }

    function _coreEntries(bytes[] memory entries) private returns (uint256 at) {
        Deal memory d = dealOf(1);
        Live memory l = liveOf(1);
        ILeaseTypes.Settlement[] memory rows = new ILeaseTypes.Settlement[](1);
        rows[0] = rowOf(l, all(1, 1));
        ILeaseTypes.Closing[] memory closings = new ILeaseTypes.Closing[](1);
        closings[0] = closingOf(l, rows[0], all(1, 1));
        entries[at++] = abi.encodeCall(ILeaseCore.deposit, (1));
        entries[at++] = abi.encodeCall(ILeaseCore.withdraw, (0));
        entries[at++] = abi.encodeCall(ILeaseCore.open, (d.order, d.asks));
        entries[at++] = abi.encodeCall(ILeaseCore.openWithPermit, (d.order, d.asks, 0, 0, 0, 0));
        entries[at++] = abi.encodeCall(ILeaseCore.openWithAuthorization, (d.order, d.asks, 0, 0, 0, 0, 0));
        entries[at++] = abi.encodeCall(ILeaseCore.openFromBalance, (d.order, d.asks, ""));
        entries[at++] = abi.encodeCall(ILeaseCore.openWithPermit2, (d.order, d.asks, 0, 0, ""));
        entries[at++] = abi.encodeCall(ILeaseCore.checkpoint, (rows));
        entries[at++] = abi.encodeCall(ILeaseCore.close, (closings));
        entries[at++] = abi.encodeCall(ILeaseCore.finalize, (rows));
        entries[at++] = abi.encodeCall(ILeaseCore.checkpoint, (new ILeaseTypes.Settlement[](0)));
        entries[at++] = abi.encodeCall(ILeaseCore.close, (new ILeaseTypes.Closing[](0)));
    }

    function _extensionEntries(bytes[] memory entries, uint256 at) private returns (uint256) {
        Live memory l = liveOf(1);
        ILeaseTypes.Settlement memory row_ = rowOf(l);
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        ILeaseTypes.Change memory c = changeOf(l);
        ILeaseTypes.OrderSet memory set;
        ILeaseTypes.Leaving[] memory leavings = new ILeaseTypes.Leaving[](1);
        leavings[0] = leavingOf(l, row_, 0, 0);
        bytes32[] memory proof;
        entries[at++] = abi.encodeCall(ILeaseExtension.openFromSet, (l.d.order, l.d.asks, set, proof, ""));
        entries[at++] = abi.encodeCall(ILeaseExtension.fundSet, (set, 0, 0, 0, 0, 0));
        entries[at++] = abi.encodeCall(ILeaseExtension.grantSession, (g, ""));
        entries[at++] = abi.encodeCall(ILeaseExtension.grantSessionWithAuthorization, (g, 1, 0, 0, 0, 0, 0));
        entries[at++] = abi.encodeCall(ILeaseExtension.revokeSession, (session));
        entries[at++] = abi.encodeCall(ILeaseExtension.change, (row_, c, nobody(), noAsks(), ""));
        entries[at++] = abi.encodeCall(
            ILeaseExtension.changeWithAuthorization, (row_, c, nobody(), noAsks(), 0, 0, 0, 0, 0)
        );
        entries[at++] = abi.encodeCall(ILeaseExtension.leave, (leavings));
        entries[at++] = abi.encodeCall(ILeaseExtension.stop, (l.d.order, l.d.membersHash));
        entries[at++] = abi.encodeCall(ILeaseExtension.stopFor, (l.d.order, l.d.membersHash, 0, ""));
        entries[at++] = abi.encodeCall(ILeaseExtension.withdrawFor, (renter, renter, 0, 0, ""));
        entries[at++] = abi.encodeCall(ILeaseExtension.sweep, (new address[](1)));
        entries[at++] = abi.encodeCall(ILeaseExtension.balanceOf, (renter));
        entries[at++] = abi.encodeCall(ILeaseExtension.lease, (l.d.leaseId));
        entries[at++] = abi.encodeCall(ILeaseExtension.paidUnitsHash, (l.d.leaseId));
        entries[at++] = abi.encodeCall(ILeaseExtension.rosterHash, (l.d.leaseId));
        entries[at++] = abi.encodeCall(ILeaseExtension.devicesInUse, (agentKey(0)));
        entries[at++] = abi.encodeCall(ILeaseExtension.session, (renter, session));
        entries[at++] = abi.encodeCall(ILeaseExtension.setUse, (0));
        return at;
    }
}
