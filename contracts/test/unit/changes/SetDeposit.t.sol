// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../../src/interfaces/ILeaseTypes.sol";
import {ChangeFixture} from "../../ChangeFixture.sol";

/// @notice The deposit of a running lease, up and down, and who pays and gets the difference.
contract SetDepositTest is ChangeFixture {
    function test_more_comes_from_the_renters_balance() public {
        Live memory l = liveOf(1);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit += 7e6;
        uint256 outside = token.balanceOf(renter);
        change(l, c, nobody());
        vm.assertEq(escrow.balanceOf(renter), FUNDS - 7e6, "taken");
        vm.assertEq(token.balanceOf(renter), outside, "nothing pulled");
    }

    function test_it_falls_to_what_is_owed_and_not_below() public {
        Live memory l = liveOf(2);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit += 7e6;
        change(l, c, nobody());
        vm.warp(START + 100);
        checkpoint(rowOf(l, all(2, 60)));
        l.paid = all(2, 60);
        c = changeOf(l);
        c.deposit = l.d.order.deposit - 1;
        _tooSmall(l, c);
        c.deposit = 0;
        _tooSmall(l, c);
        c.deposit = 1;
        _tooSmall(l, c);
        c.deposit = l.d.order.deposit;
        uint256 outside = token.balanceOf(renter);
        change(l, c, nobody());
        vm.assertEq(token.balanceOf(renter) - outside, 7e6, "refunded");
        vm.assertEq(escrow.balanceOf(renter), FUNDS - 7e6, "not to the balance");
    }

    function test_what_a_member_left_unused_is_freed() public {
        Live memory l = liveOf(2);
        vm.warp(START + 100);
        leaves(l, rowOf(l, all(2, 100)), 0, 90);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit = uint96(uint256(90) * RATE / 1e9 + (uint256(MAX_SECONDS) * RATE + 1e9 - 1) / 1e9);
        vm.assertEq(c.deposit, owed(l), "what it was paid, and all that the other can be");
        c.deposit -= 1;
        _tooSmall(l, c);
        c.deposit += 1;
        change(l, c, nobody());
        vm.warp(START + 3 days);
        vm.assertEq(finalize(rowOf(l, all(2, 1e9))), 1, "ended");
        vm.assertLe(c.deposit - escrow.lease(l.d.leaseId).charged, 1, "all of it was needed");
    }

    function test_when_all_left_everything_but_what_was_charged_is_freed() public {
        Live memory l = liveOf(2);
        vm.warp(START + 100);
        leaves(l, rowOf(l, all(2, 100)), 0, 90);
        leaves(l, rowOf(l, all(2, 100)), 1, 80);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit = uint96(escrow.lease(l.d.leaseId).charged);
        change(l, c, nobody());
        vm.assertEq(
            close(ILeaseTypes.Closing(rowOf(l), l.paid, new bytes32[](2), new bytes32[](2))), 1, "closed"
        );
        vm.assertEq(token.balanceOf(address(escrow)), FUNDS + c.deposit, "nothing left over");
    }

    function test_the_final_refund_is_of_the_deposit_as_it_is() public {
        Live memory l = liveOf(1);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit += 7e6;
        change(l, c, nobody());
        uint256 outside = token.balanceOf(renter);
        vm.assertEq(close(closingOf(l, rowOf(l), all(1, 0))), 1, "closed");
        vm.assertEq(token.balanceOf(renter) - outside, c.deposit, "all of it");
        vm.assertEq(token.balanceOf(address(escrow)), FUNDS - 7e6, "the rest is the balance");
    }

    function test_the_largest_deposit_there_is() public {
        Live memory l = liveOf(1);
        ILeaseTypes.Change memory c = changeOf(l);
        c.deposit = type(uint96).max;
        uint256 missing = type(uint96).max - uint256(l.d.order.deposit);
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        vm.expectRevert(
            abi.encodeWithSelector(ILeaseTypes.InsufficientBalance.selector, renter, FUNDS, missing)
        );
        vm.prank(renter);
        escrow.change(settlement, c, nobody(), noAsks(), "");
        token.mint(renter, missing);
        vm.prank(renter);
        escrow.deposit(missing - FUNDS);
        change(l, c, nobody());
        vm.assertEq(escrow.balanceOf(renter), 0, "all of it");
        vm.assertEq(close(closingOf(l, rowOf(l), all(1, 0))), 1, "and back");
    }

    /// @dev Up and down again, and the roster is what the first signature was for; yet it holds once. Else anybody could
    /// push the renter's balance out, change by change.
    function test_a_signature_holds_once_though_the_lease_is_again_as_it_was() public {
        Live memory l = liveOf(1);
        change(l, changeOf(l), nobody());
        ILeaseTypes.Change memory up = changeOf(l);
        up.deposit += 7e6;
        bytes memory signedUp = sign(RENTER_KEY, digestOf(l, up, nobody()));
        _bring(l, up, signedUp);
        ILeaseTypes.Change memory down = changeOf(l);
        down.deposit -= 7e6;
        bytes memory signedDown = sign(RENTER_KEY, digestOf(l, down, nobody()));
        _bring(l, down, signedDown);
        vm.assertEq(escrow.rosterHash(l.d.leaseId), up.before, "as it was");

        ILeaseTypes.Settlement memory settlement = rowOf(l);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.StaleTerms.selector, l.d.leaseId));
        escrow.change(settlement, up, nobody(), noAsks(), signedUp);
        up.changeBy -= 1;
        _bring(l, up, sign(RENTER_KEY, digestOf(l, up, nobody())));
        settlement = rowOf(l);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.StaleTerms.selector, l.d.leaseId));
        escrow.change(settlement, down, nobody(), noAsks(), signedDown);
    }

    function test_the_renter_itself_may_go_up_and_down_as_it_likes() public {
        Live memory l = liveOf(1);
        change(l, changeOf(l), nobody());
        for (uint256 i; i < 3; ++i) {
            ILeaseTypes.Change memory c = changeOf(l);
            c.deposit += 7e6;
            change(l, c, nobody());
            c = changeOf(l);
            c.deposit -= 7e6;
            change(l, c, nobody());
        }
        vm.assertEq(escrow.balanceOf(renter), FUNDS - 21e6, "thrice in, thrice out");
    }

    function _bring(Live memory l, ILeaseTypes.Change memory c, bytes memory signature) private {
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        vm.prank(relayer);
        escrow.change(settlement, c, nobody(), noAsks(), signature);
        noteChange(l, c, nobody());
    }

    function _tooSmall(Live memory l, ILeaseTypes.Change memory c) private {
        ILeaseTypes.Settlement memory settlement = rowOf(l);
        bytes memory expected =
            abi.encodeWithSelector(ILeaseTypes.DepositTooSmall.selector, c.deposit, owed(l));
        vm.expectRevert(expected);
        vm.prank(renter);
        escrow.change(settlement, c, nobody(), noAsks(), "");
    }
}
