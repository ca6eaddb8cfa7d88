// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../../src/interfaces/ILeaseTypes.sol";
import {SetFixture} from "../../SetFixture.sol";

contract FundSetTest is SetFixture {
    function test_one_signature_of_the_token_pays_for_all_and_allows_all() public {
        Deal[] memory deals = dealsOf(3);
        ILeaseTypes.OrderSet memory set = setOf(deals);
        bytes32 digest = digests.hashOrderSet(set);
        (uint8 v, bytes32 r, bytes32 s) = authorize(renter, set.totalDeposit, digest, RENTER_KEY);
        vm.expectEmit(address(escrow));
        emit ILeaseTypes.Deposited(renter, set.totalDeposit);
        vm.expectEmit(address(escrow));
        emit ILeaseTypes.SetFunded(renter, digest, set);
        vm.prank(relayer);
        escrow.fundSet(set, 0, block.timestamp + 1 hours, v, r, s);
        vm.assertEq(escrow.balanceOf(renter), set.totalDeposit, "in the balance");
        vm.assertTrue(escrow.setUse(digest).funded, "funded");

        for (uint256 i; i < deals.length; ++i) {
            vm.prank(relayer);
            escrow.openFromSet(deals[i].order, deals[i].asks, set, proofOf(deals, i), "");
        }
        vm.assertEq(escrow.balanceOf(renter), 0, "all of it in leases");
        vm.assertEq(escrow.setUse(digest).opened, 3, "opened");
        vm.assertEq(escrow.setUse(digest).deposited, set.totalDeposit, "deposited");
    }

    function test_funding_allows_this_set_alone() public {
        Deal[] memory deals = dealsOf(2);
        ILeaseTypes.OrderSet memory set = setOf(deals);
        _fund(set);
        set.salt += 1;
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.BadOrderSignature.selector, renter));
        escrow.openFromSet(deals[0].order, deals[0].asks, set, proofOf(deals, 0), "");
    }

    function test_a_set_is_funded_once() public {
        ILeaseTypes.OrderSet memory set = setOf(dealsOf(2));
        _fund(set);
        (uint8 v, bytes32 r, bytes32 s) =
            authorize(renter, set.totalDeposit, digests.hashOrderSet(set), RENTER_KEY);
        vm.expectRevert();
        escrow.fundSet(set, 0, block.timestamp + 1 hours, v, r, s);
    }

    function test_orders_opened_before_it_was_funded_still_count() public {
        Deal[] memory deals = dealsOf(2);
        ILeaseTypes.OrderSet memory set = setOf(deals);
        set.count = 1;
        vm.prank(renter);
        escrow.deposit(FUNDS);
        vm.prank(renter);
        escrow.openFromSet(deals[0].order, deals[0].asks, set, proofOf(deals, 0), "");
        _fund(set);
        bytes32 digest = digests.hashOrderSet(set);
        vm.expectRevert(
            abi.encodeWithSelector(ILeaseTypes.SetExhausted.selector, digest, bytes32("count"), 1)
        );
        escrow.openFromSet(deals[1].order, deals[1].asks, set, proofOf(deals, 1), "");
    }

    function test_what_was_not_opened_stays_the_renters() public {
        Deal[] memory deals = dealsOf(2);
        ILeaseTypes.OrderSet memory set = setOf(deals);
        _fund(set);
        address[] memory owners = new address[](1);
        owners[0] = renter;
        vm.prank(relayer);
        escrow.sweep(owners);
        vm.assertEq(escrow.balanceOf(renter), set.totalDeposit, "nobody pushes it out");
        vm.prank(renter);
        escrow.withdraw(set.totalDeposit);
        vm.expectRevert(
            abi.encodeWithSelector(
                ILeaseTypes.InsufficientBalance.selector, renter, 0, deals[0].order.deposit
            )
        );
        escrow.openFromSet(deals[0].order, deals[0].asks, set, proofOf(deals, 0), "");
    }

    function test_an_authorization_for_something_else_funds_nothing() public {
        ILeaseTypes.OrderSet memory set = setOf(dealsOf(2));
        bytes32 digest = digests.hashOrderSet(set);
        (uint8 v, bytes32 r, bytes32 s) = authorize(renter, set.totalDeposit, keccak256("x"), RENTER_KEY);
        _reverts(set, v, r, s);
        (v, r, s) = authorize(renter, set.totalDeposit, digest, METER_KEY);
        _reverts(set, v, r, s);
        (v, r, s) = authorize(renter, set.totalDeposit - 1, digest, RENTER_KEY);
        _reverts(set, v, r, s);
        (v, r, s) = authorize(renter, set.totalDeposit, digest, RENTER_KEY);
        set.count += 1;
        _reverts(set, v, r, s);
        vm.assertFalse(escrow.setUse(digest).funded, "not funded");
    }

    function test_a_set_of_no_money_is_not_funded() public {
        ILeaseTypes.OrderSet memory set = setOf(dealsOf(2));
        set.totalDeposit = 0;
        (uint8 v, bytes32 r, bytes32 s) = authorize(renter, 0, digests.hashOrderSet(set), RENTER_KEY);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.OrderOutOfRange.selector, bytes32("amount")));
        escrow.fundSet(set, 0, block.timestamp + 1 hours, v, r, s);
    }

    function test_the_largest_sum_there_is_can_be_funded() public {
        ILeaseTypes.OrderSet memory set = setOf(dealsOf(2));
        set.totalDeposit = type(uint128).max;
        token.mint(renter, type(uint128).max);
        _fund(set);
        vm.assertEq(escrow.balanceOf(renter), type(uint128).max, "all of it");
    }

    function _fund(ILeaseTypes.OrderSet memory set) private {
        (uint8 v, bytes32 r, bytes32 s) =
            authorize(renter, set.totalDeposit, digests.hashOrderSet(set), RENTER_KEY);
        escrow.fundSet(set, 0, block.timestamp + 1 hours, v, r, s);
    }

    function _reverts(ILeaseTypes.OrderSet memory set, uint8 v, bytes32 r, bytes32 s) private {
        vm.expectRevert();
        escrow.fundSet(set, 0, block.timestamp + 1 hours, v, r, s);
    }
}
