// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {LeaseDigests} from "../../src/LeaseDigests.sol";
import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {ChangeFixture} from "../ChangeFixture.sol";

/// @notice Everything that is signed, signed for another chain or for another escrow on this one: worth nothing here.
contract DomainsTest is ChangeFixture {
    uint40 private constant DEADLINE = uint40(START + 60);
    LeaseDigests[2] private _foreign;

    function setUp() public override {
        super.setUp();
        vm.chainId(1);
        _foreign[0] = deployDigests(escrow);
        vm.chainId(31337);
        _foreign[1] = deployDigests(deployEscrow(escrow.terms()));
        vm.assertTrue(_foreign[0].domainSeparator() != digests.domainSeparator(), "another chain");
        vm.assertTrue(_foreign[1].domainSeparator() != digests.domainSeparator(), "another escrow");
    }

    function test_asks() public {
        for (uint256 i; i < 2; ++i) {
            ILeaseTypes.MatchedAsk[] memory asks = asksOf(1);
            bytes32 digest = _foreign[i].hashAsk(asks[0].ask);
            (asks[0].r, asks[0].vs) = vm.signCompact(agentSecret(0), digest);
            ILeaseTypes.Order memory order = orderFor(asks);
            vm.expectRevert(
                abi.encodeWithSelector(ILeaseTypes.BadAskSignature.selector, 0, asks[0].ask.agentKey)
            );
            vm.prank(renter);
            escrow.open(order, asks);
        }
    }

    function test_orders() public {
        grant(grantOf(renter));
        Deal memory d = dealOf(1);
        Deal memory bySession = sessionDealOf(1);
        for (uint256 i; i < 2; ++i) {
            bytes memory signature = sign(RENTER_KEY, _foreign[i].hashOrder(d.order, d.members));
            vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.BadOrderSignature.selector, renter));
            escrow.openFromBalance(d.order, d.asks, signature);
            signature = sign(SESSION_KEY, _foreign[i].hashOrder(bySession.order, bySession.members));
            vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.BadSignature.selector, session));
            escrow.openFromBalance(bySession.order, bySession.asks, signature);
        }
    }

    function test_authorizations_for_orders() public {
        Deal memory d = dealOf(1);
        for (uint256 i; i < 2; ++i) {
            bytes32 nonce = _foreign[i].hashOrder(d.order, d.members);
            (uint8 v, bytes32 r, bytes32 s) = authorization(d, RENTER_KEY, nonce);
            vm.expectRevert();
            escrow.openWithAuthorization(d.order, d.asks, 0, block.timestamp + 1 hours, v, r, s);
        }
    }

    function test_vouchers() public {
        Deal memory d = opened(1);
        vm.warp(START + 100);
        ILeaseTypes.Settlement memory settlement = row(d, all(1, 90));
        for (uint256 i; i < 2; ++i) {
            bytes32 digest = _foreign[i].hashVoucher(d.leaseId, all(1, 90), new uint40[](1));
            (settlement.voucher.r, settlement.voucher.vs) = vm.signCompact(METER_KEY, digest);
            vm.assertEq(checkpoint(settlement), 0, "skipped");
        }
    }

    function test_claims() public {
        Live memory l = liveOf(1);
        vm.warp(START + 100);
        ILeaseTypes.Closing memory c = closingOf(l, rowOf(l, all(1, 90)), all(1, 90));
        ILeaseTypes.Leaving memory leaving = leavingOf(l, rowOf(l, all(1, 90)), 0, 90);
        for (uint256 i; i < 2; ++i) {
            (leaving.r, leaving.vs) =
                vm.signCompact(agentSecret(0), _foreign[i].hashClose(l.d.leaseId, 0, 90));
            (c.r[0], c.vs[0]) = (leaving.r, leaving.vs);
            vm.assertEq(close(c), 0, "close");
            vm.assertEq(leave(leaving), 0, "leave");
        }
    }

    function test_stops() public {
        Deal memory d = opened(1);
        for (uint256 i; i < 2; ++i) {
            bytes memory signature = sign(RENTER_KEY, _foreign[i].hashStop(d.leaseId, DEADLINE));
            vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.BadSignature.selector, renter));
            escrow.stopFor(d.order, d.membersHash, DEADLINE, signature);
            // By the escrow's own lease of that domain.
            signature =
                sign(RENTER_KEY, _foreign[i].hashStop(_foreign[i].hashOrder(d.order, d.members), DEADLINE));
            vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.BadSignature.selector, renter));
            escrow.stopFor(d.order, d.membersHash, DEADLINE, signature);
        }
    }

    function test_changes() public {
        grant(grantOf(renter));
        Live memory l = liveBySession(1);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit += 5e6;
        uint256[2] memory keys = [RENTER_KEY, SESSION_KEY];
        for (uint256 i; i < 4; ++i) {
            bytes32 digest = _foreign[i / 2].hashChange(l.d.leaseId, c, new ILeaseTypes.Member[](0));
            bytes memory signature = sign(keys[i % 2], digest);
            ILeaseTypes.Settlement memory settlement = rowOf(l);
            vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.BadOrderSignature.selector, renter));
            escrow.change(settlement, c, nobody(), noAsks(), signature);
        }
    }

    function test_changes_of_another_lease() public {
        Live memory l = liveOf(1);
        Live memory other = liveOf(1);
        ILeaseTypes.Change memory c = changeOf(l);
        bytes memory signature = sign(RENTER_KEY, digestOf(other, c, nobody()));
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.BadOrderSignature.selector, renter));
        escrow.change(settlement, c, nobody(), noAsks(), signature);
    }

    function test_authorizations_for_changes() public {
        Live memory l = liveOf(1);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit += 5e6;
        for (uint256 i; i < 2; ++i) {
            bytes32 nonce = _foreign[i].hashChange(l.d.leaseId, c, new ILeaseTypes.Member[](0));
            (uint8 v, bytes32 r, bytes32 s) = authorize(renter, 5e6, nonce, RENTER_KEY);
            ILeaseTypes.Settlement memory settlement = rowOf(l);
            vm.expectRevert();
            escrow.changeWithAuthorization(
                settlement, c, nobody(), noAsks(), 0, block.timestamp + 1 hours, v, r, s
            );
        }
    }

    function test_grants() public {
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        for (uint256 i; i < 2; ++i) {
            bytes32 digest = _foreign[i].hashSessionGrant(g);
            bytes memory signature = sign(RENTER_KEY, digest);
            vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.BadSignature.selector, renter));
            escrow.grantSession(g, signature);
            (uint8 v, bytes32 r, bytes32 s) = authorize(renter, 5e6, digest, RENTER_KEY);
            vm.expectRevert();
            escrow.grantSessionWithAuthorization(g, 5e6, 0, block.timestamp + 1 hours, v, r, s);
        }
    }

    function test_order_sets() public {
        Deal memory d = dealOf(1);
        ILeaseTypes.OrderSet memory set =
            ILeaseTypes.OrderSet(renter, d.leaseId, 1, d.order.deposit, uint40(START), 1);
        for (uint256 i; i < 2; ++i) {
            bytes32 digest = _foreign[i].hashOrderSet(set);
            bytes memory signature = sign(RENTER_KEY, digest);
            vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.BadOrderSignature.selector, renter));
            escrow.openFromSet(d.order, d.asks, set, new bytes32[](0), signature);
            (uint8 v, bytes32 r, bytes32 s) = authorize(renter, set.totalDeposit, digest, RENTER_KEY);
            vm.expectRevert();
            escrow.fundSet(set, 0, block.timestamp + 1 hours, v, r, s);
        }
    }

    /// @dev The right domain, but the root of leases that are another escrow's.
    function test_roots_of_foreign_leases() public {
        Deal memory d = dealOf(1);
        for (uint256 i; i < 2; ++i) {
            bytes32 root = _foreign[i].hashOrder(d.order, d.members);
            ILeaseTypes.OrderSet memory set =
                ILeaseTypes.OrderSet(renter, root, 1, d.order.deposit, uint40(START), 1);
            bytes memory expected =
                abi.encodeWithSelector(ILeaseTypes.NotInSet.selector, digests.hashOrderSet(set), d.leaseId);
            vm.expectRevert(expected);
            vm.prank(renter);
            escrow.openFromSet(d.order, d.asks, set, new bytes32[](0), "");
        }
    }

    function test_withdrawals() public {
        for (uint256 i; i < 2; ++i) {
            bytes memory signature =
                sign(RENTER_KEY, _foreign[i].hashWithdraw(renter, relayer, 1, 0, DEADLINE));
            vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.BadSignature.selector, renter));
            escrow.withdrawFor(renter, relayer, 1, DEADLINE, signature);
        }
    }

    /// @dev A chain that splits off takes all contracts with it, and another number.
    function test_after_a_fork_old_signatures_hold_on_the_old_chain_alone() public {
        ILeaseTypes.SessionGrant memory g = grantOf(renter);
        bytes memory granted = sign(RENTER_KEY, digests.hashSessionGrant(g));
        bytes memory withdrawn = sign(RENTER_KEY, digests.hashWithdraw(renter, relayer, 1, 0, DEADLINE));
        Deal memory d = dealOf(1);
        bytes memory ordered = sign(RENTER_KEY, d.leaseId);
        vm.chainId(777);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.BadSignature.selector, renter));
        escrow.grantSession(g, granted);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.BadSignature.selector, renter));
        escrow.withdrawFor(renter, relayer, 1, DEADLINE, withdrawn);
        vm.expectRevert(
            abi.encodeWithSelector(ILeaseTypes.BadAskSignature.selector, 0, d.asks[0].ask.agentKey)
        );
        escrow.openFromBalance(d.order, d.asks, ordered);
        digests = deployDigests(escrow);
        bytes memory anew = sign(RENTER_KEY, digests.hashSessionGrant(g));
        escrow.grantSession(g, anew);
        vm.chainId(31337);
        escrow.openFromBalance(d.order, d.asks, ordered);
    }
}
