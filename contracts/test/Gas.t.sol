// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../src/interfaces/ILeaseTypes.sol";
import {EscrowFixture} from "./EscrowFixture.sol";

/// @notice Gas of whole transactions, 21,000 and calldata included, in the steady state: every account that is
/// touched has been used before (a first use adds up to 17,100 for each).
/// @dev Recorded in snapshots/LeaseEscrow.json; a run that differs fails. To accept a change:
/// FORGE_SNAPSHOT_CHECK=false forge test --match-contract GasTest
/// forge-config: default.isolate = true
contract GasTest is EscrowFixture {
    string private constant GROUP = "LeaseEscrow";
    uint256 private constant LARGEST = 64;

    function setUp() public override {
        super.setUp();
        joinAgents(4, LARGEST);
        vm.prank(renter);
        escrow.deposit(1e14);
        Deal memory d = opened(LARGEST);
        vm.warp(START + 1000);
        checkpoint(row(d, all(LARGEST, 100)));
        close(closing(d, row(d, all(LARGEST, 100), all(LARGEST, 200)), all(LARGEST, 200)));
    }

    function test_gas_1_member() public {
        _measure(1);
    }

    function test_gas_4_members() public {
        _measure(4);
    }

    function test_gas_8_members() public {
        _measure(8);
    }

    function test_gas_64_members() public {
        _measure(64);
    }

    /// @dev What `MAX_MEMBERS` is argued from: the dearest closing there is, operators that were never paid before.
    function test_gas_of_the_largest_lease_leaves_two_thirds_of_a_transaction() public {
        uint256 count = 128;
        joinAgents(LARGEST, LARGEST + count);
        ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](count);
        for (uint256 i; i < count; ++i) {
            asks[i] = matched(LARGEST + i, askOf(LARGEST + i), 1);
        }
        Deal memory d = deal(orderFor(asks), asks);
        open(d);
        _record("open", ", members: 128, first use");
        vm.assertLe(vm.lastCallGas().gasTotalUsed, uint256(1 << 24) / 3, "open");
        vm.warp(block.timestamp + 1000);
        ILeaseTypes.Closing memory c = closing(d, row(d, all(count, 900)), all(count, 900));
        for (uint256 i; i < count; ++i) {
            (c.r[i], c.vs[i]) = vm.signCompact(agentSecret(LARGEST + i), digests.hashClose(d.leaseId, uint32(i), 900));
        }
        vm.assertEq(close(c), 1, "closed");
        _record("close", ", members: 128, first use");
        vm.assertLe(vm.lastCallGas().gasTotalUsed, uint256(1 << 24) / 3, "close");
    }

    function _measure(uint256 count) private {
        string memory suffix = string.concat(", members: ", vm.toString(count));

        Deal memory a = dealOf(count);
        open(a);
        _record("open", suffix);
        Deal memory b = dealOf(count);
        openWithAuthorization(b);
        _record("openWithAuthorization", suffix);
        Deal memory c = dealOf(count);
        bytes memory signature = sign(RENTER_KEY, c.leaseId);
        vm.prank(relayer);
        escrow.openFromBalance(c.order, c.asks, signature);
        _record("openFromBalance", suffix);

        vm.warp(block.timestamp + 1 hours);
        checkpoint(row(a, all(count, 1200)));
        _record("checkpoint, first", suffix);
        checkpoint(row(a, all(count, 1200), all(count, 2400)));
        _record("checkpoint, next", suffix);
        close(closing(a, row(a, all(count, 2400), all(count, 3600)), all(count, 3500)));
        _record("close after checkpoints", suffix);
        close(closing(b, row(b, all(count, 3600)), all(count, 3500)));
        _record("close", suffix);

        vm.prank(renter);
        escrow.stop(c.order, c.membersHash);
        _record("stop", suffix);
        vm.warp(block.timestamp + 2 hours);
        finalize(row(c, all(count, 3600)));
        _record("finalize", suffix);
    }

    function _record(string memory name, string memory suffix) private {
        vm.snapshotGasLastCall(GROUP, string.concat(name, suffix));
    }
}
