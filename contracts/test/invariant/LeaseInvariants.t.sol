// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseEscrow} from "../../src/interfaces/ILeaseEscrow.sol";
import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {IToken} from "../EscrowFixture.sol";
import {Test} from "../Test.sol";
import {Handler} from "./Handler.sol";
import {LeaseModel} from "./LeaseModel.sol";

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
        bytes4[] memory selectors = new bytes4[](10);
        selectors[0] = Handler.pass.selector;
        (selectors[1], selectors[2]) = (Handler.open.selector, Handler.open.selector);
        (selectors[3], selectors[4]) = (Handler.checkpoint.selector, Handler.checkpoint.selector);
        (selectors[5], selectors[6]) = (Handler.close.selector, Handler.stop.selector);
        (selectors[7], selectors[8]) = (Handler.finalize.selector, Handler.moveMoney.selector);
        selectors[9] = Handler.pass.selector;
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(_handler), selectors);
    }

    /// @dev One function, so that everything is looked at in one campaign.
    function invariant_everything_in_the_readme_holds() public view {
        uint256 owed;
        uint256 feeAtMost;
        uint256[4] memory devices;
        for (uint256 i; i < _handler.leaseCount(); ++i) {
            (bytes32 id, LeaseModel.Lease memory lease) = _handler.leaseAt(i);
            ILeaseTypes.Lease memory stored = _escrow.lease(id);
            _checkCharge(lease, stored);
            _checkStored(id, lease, stored);
            _checkUnits(lease);
            for (uint256 m; m < lease.paid.length; ++m) {
                feeAtMost += lease.memberCharge(lease.paid, m) * 50 / 10_000;
            }
            if (lease.phase != LeaseModel.Phase.OPEN) continue;
            owed += lease.order.deposit - stored.charged;
            for (uint256 m; m < lease.agents.length; ++m) {
                devices[lease.agents[m]] += lease.members[m].devices;
            }
        }
        _checkBalances(owed, feeAtMost);
        for (uint256 i; i < 4; ++i) {
            vm.assertEq(_escrow.devicesInUse(_handler.agentKeyOf(i)), devices[i], "13: devices in use");
        }
    }

    /// @dev Against invariants that hold because nothing happens.
    function test_the_handler_reaches_every_outcome() public {
        for (uint256 i; i < 600; ++i) {
            uint256 a = uint256(keccak256(abi.encode(i)));
            uint256 b = uint256(keccak256(abi.encode(a)));
            if (i % 8 < 2) _handler.open(a);
            else if (i % 8 < 4) _handler.checkpoint(a, b);
            else if (i % 8 == 4) _handler.close(a, b);
            else if (i % 8 == 5) _handler.stop(a, b);
            else if (i % 8 == 6) _handler.finalize(a, b);
            else _handler.moveMoney(a, b);
            if (i % 3 == 0) _handler.pass(b);
        }
        string[9] memory outcomes =
            ["opened", "sold out", "paid", "unpaid", "closed", "left open", "stopped", "finalized", "early"];
        for (uint256 i; i < outcomes.length; ++i) {
            vm.assertGe(_handler.reached(outcomes[i]), 3, outcomes[i]);
        }
        invariant_everything_in_the_readme_holds();
    }

    /// @dev 16: runs once at the end of every run.
    function afterInvariant() public {
        _handler.endAll();
        invariant_everything_in_the_readme_holds();
    }

    function _checkCharge(LeaseModel.Lease memory lease, ILeaseTypes.Lease memory stored) private pure {
        vm.assertLe(stored.charged, lease.order.deposit, "2: charged more than the deposit");
        vm.assertEq(stored.charged, lease.chargeOf(lease.paid), "3: charge is not units times rate");
        if (lease.phase == LeaseModel.Phase.ENDED) {
            vm.assertEq(stored.charged + lease.refunded, lease.order.deposit, "4: not shared out completely");
        }
    }

    function _checkStored(bytes32 id, LeaseModel.Lease memory lease, ILeaseTypes.Lease memory stored)
        private
        view
    {
        vm.assertEq(uint256(stored.state), uint256(lease.phase), "8: state");
        vm.assertEq(stored.openedAt, lease.openedAt, "8: openedAt");
        vm.assertEq(stored.stopAt, lease.stopAt, "8: stopAt");
        bytes32 record = lease.checkpointed ? keccak256(abi.encodePacked(lease.paid)) : bytes32(0);
        vm.assertEq(_escrow.paidUnitsHash(id), record, "14: record of units");
    }

    function _checkUnits(LeaseModel.Lease memory lease) private view {
        uint256 elapsed = lease.secondsOf(0, block.timestamp);
        for (uint256 m; m < lease.paid.length; ++m) {
            vm.assertLe(lease.paid[m], lease.members[m].devices * elapsed, "6: units passed the clock");
        }
    }

    function _checkBalances(uint256 owed, uint256 feeAtMost) private view {
        address[] memory owners = _handler.owners();
        for (uint256 i; i < owners.length; ++i) {
            uint256 balance = _escrow.balanceOf(owners[i]);
            vm.assertEq(balance, _handler.free(owners[i]), "15: balance");
            owed += balance;
        }
        vm.assertEq(_token.balanceOf(address(_escrow)), owed, "1: holds what it owes");
        uint256 fees = _token.balanceOf(_treasury) + _escrow.balanceOf(_treasury);
        vm.assertLe(fees, feeAtMost, "10: fee above half a percent");
    }
}
