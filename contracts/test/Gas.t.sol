// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../src/interfaces/ILeaseTypes.sol";
import {ChangeFixture} from "./ChangeFixture.sol";

/// @notice Gas of whole transactions, 21,000 and calldata included, in the steady state: every account that is
/// touched has been used before (a first use adds up to 17,100 for each).
/// @dev Recorded in snapshots/LeaseEscrow.json; a run that differs fails. To accept a change:
/// FORGE_SNAPSHOT_CHECK=false forge test --match-contract GasTest
/// forge-config: default.isolate = true
contract GasTest is ChangeFixture {
    string private constant GROUP = "LeaseEscrow";
    uint256 private constant LARGEST = 64;

    function setUp() public override {
        super.setUp();
        joinAgents(4, LARGEST);
        vm.prank(renter);
        escrow.deposit(1e14);
        _grantPlenty();
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
            (c.r[i], c.vs[i]) =
                vm.signCompact(agentSecret(LARGEST + i), digests.hashClose(d.leaseId, uint32(i), 900));
        }
        vm.assertEq(close(c), 1, "closed");
        _record("close", ", members: 128, first use");
        vm.assertLe(vm.lastCallGas().gasTotalUsed, uint256(1 << 24) / 3, "close");
    }

    function test_gas_of_session_keys() public {
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        (g.spendLimit, g.maxDevices) = (type(uint96).max, 1000);
        bytes memory signature = sign(RENTER_KEY, digests.hashSessionGrant(g));
        vm.prank(relayer);
        escrow.grantSession(g, signature);
        _record("grantSession, again", "");
        g.nonce += 1;
        g.key = relayer;
        signature = sign(RENTER_KEY, digests.hashSessionGrant(g));
        vm.prank(relayer);
        escrow.grantSession(g, signature);
        _record("grantSession, a new key", "");
        _measureSession(1);
        _measureSession(8);
    }

    function test_gas_of_changes() public {
        Live memory l = liveOf(8);
        vm.warp(block.timestamp + 1000);
        _leave(l, 0, "leave, first");
        _leave(l, 1, "leave, next");
        _change(l, changeOf(l), joining(8), "change, add one in place of one that left");
        ILeaseTypes.Change memory c = changeOf(l);
        (c.dismissed, c.deposit) = (4, c.deposit + 100e6);
        _change(l, c, joining(9), "change, replace one");
        c = changeOf(l);
        c.deposit -= 1e6;
        _change(l, c, nobody(), "change, lower the deposit");
        vm.warp(block.timestamp + 1000);
        checkpoint(rowOf(l, all(10, 1500)));
        _record("checkpoint of a changed lease", ", members: 10");
    }

    function test_gas_of_prolonging() public {
        Live memory l = liveOf(8);
        ILeaseTypes.Change memory c = changeOf(l);
        (c.maxSeconds, c.deposit) = (2 days, c.deposit * 2);
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        vm.prank(renter);
        escrow.change(settlement, c, nobody(), asksOf(l), "");
        _record("change, prolong", ", members: 8");
    }

    function _leave(Live memory l, uint256 i, string memory name) private {
        vm.assertEq(leave(leavingOf(l, rowOf(l, all(8, 1000)), i, 900)), 1, "left");
        _record(name, ", members: 8");
        noteLeave(l, i, 900);
    }

    function _change(
        Live memory l,
        ILeaseTypes.Change memory c,
        ILeaseTypes.MatchedAsk[] memory added,
        string memory name
    ) private {
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        string memory suffix = string.concat(", members: ", vm.toString(l.d.members.length));
        vm.prank(renter);
        escrow.change(settlement, c, added, noAsks(), "");
        _record(name, suffix);
        noteChange(l, c, added);
    }

    /// @dev Divide by a hundred: what a lease costs that ends with many others.
    function test_gas_of_a_batch_of_a_hundred_closes() public {
        ILeaseTypes.Closing[] memory rows = _closings(LARGEST, false);
        vm.assertEq(escrow.close(rows), 100, "closed");
        _record("close, a batch of 100", ", members: 1");
        rows = _closings(LARGEST, true);
        vm.assertEq(escrow.close(rows), 100, "closed");
        _record("close of sessions' leases, a batch of 100", ", members: 1");
        rows = _closings(1, true);
        vm.assertEq(escrow.close(rows), 100, "closed");
        _record("close of sessions' leases, a batch of 100 of one agent", ", members: 1");
    }

    /// @dev A hundred leases of one device, spread over `agents` agents.
    function _closings(uint256 agents, bool bySession) private returns (ILeaseTypes.Closing[] memory rows) {
        uint256 count = 100;
        rows = new ILeaseTypes.Closing[](count);
        Deal[] memory deals = new Deal[](count);
        for (uint256 i; i < count; ++i) {
            ILeaseTypes.MatchedAsk[] memory asks = new ILeaseTypes.MatchedAsk[](1);
            asks[0] = matched(i % agents, askOf(i % agents), 1);
            deals[i] = bySession ? sessionDeal(asks) : deal(orderFor(asks), asks);
            if (bySession) openBySession(deals[i]);
            else open(deals[i]);
        }
        vm.warp(block.timestamp + 1000);
        for (uint256 i; i < count; ++i) {
            rows[i] = closing(deals[i], row(deals[i], all(1, 1000)), all(1, 990));
            (rows[i].r[0], rows[i].vs[0]) =
                vm.signCompact(agentSecret(i % agents), digests.hashClose(deals[i].leaseId, 0, 990));
        }
    }

    function _measureSession(uint256 count) private {
        string memory suffix = string.concat(", members: ", vm.toString(count));
        Deal memory d = sessionDealOf(count);
        bytes memory signature = sign(SESSION_KEY, d.leaseId);
        vm.prank(relayer);
        escrow.openFromBalance(d.order, d.asks, signature);
        _record("openFromBalance by a session", suffix);
        vm.warp(block.timestamp + 1 hours);
        close(closing(d, row(d, all(count, 3600)), all(count, 3500)));
        _record("close of a session's lease", suffix);
    }

    function _grantPlenty() private {
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        (g.spendLimit, g.maxDevices) = (type(uint96).max, 1000);
        grant(g);
        Deal memory d = sessionDealOf(1);
        openBySession(d);
        close(closing(d, rowWithoutVoucher(d, new uint96[](0)), all(1, 0)));
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
