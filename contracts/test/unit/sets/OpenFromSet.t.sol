// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../../src/interfaces/ILeaseTypes.sol";
import {SetFixture} from "../../SetFixture.sol";
import {Wallet} from "../../Wallet.sol";

contract OpenFromSetTest is SetFixture {
    function setUp() public override {
        super.setUp();
        vm.prank(renter);
        escrow.deposit(FUNDS);
    }

    // ---------------------------------------------------------------- opening

    function test_one_signature_opens_every_order_of_the_set() public {
        Deal[] memory deals = dealsOf(5);
        ILeaseTypes.OrderSet memory set = setOf(deals);
        bytes32 digest = digests.hashOrderSet(set);
        bytes memory signature = sign(RENTER_KEY, digest);
        uint256 deposits;
        for (uint256 i; i < deals.length; ++i) {
            vm.prank(relayer);
            bytes32 leaseId =
                escrow.openFromSet(deals[i].order, deals[i].asks, set, proofOf(deals, i), signature);
            vm.assertEq(leaseId, deals[i].leaseId, "id");
            vm.assertTrue(escrow.lease(leaseId).state == ILeaseTypes.State.ACTIVE, "active");
            deposits += deals[i].order.deposit;
            vm.assertEq(escrow.setUse(digest).opened, i + 1, "counted");
            vm.assertEq(escrow.setUse(digest).deposited, deposits, "added up");
        }
        vm.assertEq(escrow.balanceOf(renter), FUNDS - deposits, "from the balance");
        vm.assertFalse(escrow.setUse(digest).funded, "not funded");
    }

    function test_the_renter_needs_no_signature() public {
        Deal[] memory deals = dealsOf(2);
        ILeaseTypes.OrderSet memory set = setOf(deals);
        vm.prank(renter);
        escrow.openFromSet(deals[1].order, deals[1].asks, set, proofOf(deals, 1), "");
        vm.assertTrue(escrow.lease(deals[1].leaseId).state == ILeaseTypes.State.ACTIVE, "active");
    }

    function test_a_set_of_one_order_needs_no_proof() public {
        Deal[] memory deals = dealsOf(1);
        ILeaseTypes.OrderSet memory set = setOf(deals);
        vm.assertEq(set.root, deals[0].leaseId, "the root is the lease's id");
        vm.prank(renter);
        escrow.openFromSet(deals[0].order, deals[0].asks, set, new bytes32[](0), "");
    }

    function test_a_contract_wallet_says_for_itself_what_it_signed() public {
        Wallet wallet = new Wallet(vm.addr(5));
        fund(address(wallet), FUNDS);
        vm.prank(address(wallet));
        escrow.deposit(FUNDS);
        Deal[] memory deals = dealsOf(2);
        for (uint256 i; i < 2; ++i) {
            deals[i].order.renter = address(wallet);
            deals[i] = deal(deals[i].order, deals[i].asks);
        }
        ILeaseTypes.OrderSet memory set = setOf(deals);
        set.renter = address(wallet);
        bytes memory signature = sign(5, digests.hashOrderSet(set));
        escrow.openFromSet(deals[0].order, deals[0].asks, set, proofOf(deals, 0), signature);
        wallet.refuseEverything();
        _refused(
            deals, 1, set, signature, abi.encodeWithSelector(ILeaseTypes.BadOrderSignature.selector, wallet)
        );
    }

    // ---------------------------------------------------------------- what is in the set

    function test_orders_that_are_not_in_the_set_are_refused() public {
        Deal[] memory deals = dealsOf(3);
        ILeaseTypes.OrderSet memory set = setOf(deals);
        Deal memory other = dealOf(1);
        _notInSet(other, set, proofOf(deals, 0));
        _notInSet(other, set, new bytes32[](0));
        _notInSet(deals[0], set, proofOf(deals, 1));
        _notInSet(deals[0], set, new bytes32[](0));
        bytes32[] memory proof = proofOf(deals, 0);
        proof[0] = ~proof[0];
        _notInSet(deals[0], set, proof);
        deals[0].order.deposit += 1;
        _notInSet(deal(deals[0].order, deals[0].asks), set, proofOf(deals, 1));
    }

    function test_an_order_of_another_renter_is_refused() public {
        Deal[] memory deals = dealsOf(2);
        deals[1].order.renter = relayer;
        deals[1] = deal(deals[1].order, deals[1].asks);
        ILeaseTypes.OrderSet memory set = setOf(deals);
        _notInSet(deals[1], set, proofOf(deals, 1));
        set.renter = relayer;
        vm.prank(relayer);
        vm.expectRevert(_notIn(set, deals[0].leaseId));
        escrow.openFromSet(deals[0].order, deals[0].asks, set, proofOf(deals, 0), "");
    }

    function test_an_order_opens_once() public {
        Deal[] memory deals = dealsOf(2);
        ILeaseTypes.OrderSet memory set = setOf(deals);
        vm.prank(renter);
        escrow.openFromSet(deals[0].order, deals[0].asks, set, proofOf(deals, 0), "");
        vm.prank(renter);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.AlreadyOpened.selector, deals[0].leaseId));
        escrow.openFromSet(deals[0].order, deals[0].asks, set, proofOf(deals, 0), "");
    }

    // ---------------------------------------------------------------- limits

    function test_no_more_leases_open_than_the_set_counts() public {
        Deal[] memory deals = dealsOf(3);
        ILeaseTypes.OrderSet memory set = setOf(deals);
        set.count = 2;
        for (uint256 i; i < 2; ++i) {
            vm.prank(renter);
            escrow.openFromSet(deals[i].order, deals[i].asks, set, proofOf(deals, i), "");
        }
        _exhausted(deals, 2, set, "count", 2);
        set.count = 0;
        _exhausted(deals, 2, set, "count", 0);
        set.count = type(uint32).max;
        vm.prank(renter);
        escrow.openFromSet(deals[2].order, deals[2].asks, set, proofOf(deals, 2), "");
    }

    function test_no_more_money_is_taken_than_the_set_says() public {
        Deal[] memory deals = dealsOf(2);
        ILeaseTypes.OrderSet memory set = setOf(deals);
        set.totalDeposit -= 1;
        vm.prank(renter);
        escrow.openFromSet(deals[0].order, deals[0].asks, set, proofOf(deals, 0), "");
        _exhausted(deals, 1, set, "totalDeposit", set.totalDeposit);
        set.totalDeposit = 0;
        _exhausted(deals, 1, set, "totalDeposit", 0);
        set.totalDeposit = deals[1].order.deposit - 1;
        _exhausted(deals, 1, set, "totalDeposit", set.totalDeposit);
        set.totalDeposit = deals[1].order.deposit;
        vm.prank(renter);
        escrow.openFromSet(deals[1].order, deals[1].asks, set, proofOf(deals, 1), "");
    }

    function test_the_set_holds_to_its_last_second() public {
        Deal[] memory deals = dealsOf(2);
        ILeaseTypes.OrderSet memory set = setOf(deals);
        set.openBy = uint40(START - 1);
        _refused(
            deals, 0, set, "", abi.encodeWithSelector(ILeaseTypes.OrderExpired.selector, uint40(START - 1))
        );
        set.openBy = uint40(START);
        vm.prank(renter);
        escrow.openFromSet(deals[0].order, deals[0].asks, set, proofOf(deals, 0), "");
        set.openBy = 0;
        _refused(deals, 1, set, "", abi.encodeWithSelector(ILeaseTypes.OrderExpired.selector, 0));
        set.openBy = type(uint40).max;
        vm.prank(renter);
        escrow.openFromSet(deals[1].order, deals[1].asks, set, proofOf(deals, 1), "");
    }

    function test_a_balance_that_is_too_small_is_refused() public {
        Deal[] memory deals = dealsOf(2);
        vm.prank(renter);
        escrow.withdraw(FUNDS - 5);
        bytes memory expected = abi.encodeWithSelector(
            ILeaseTypes.InsufficientBalance.selector, renter, 5, deals[0].order.deposit
        );
        ILeaseTypes.OrderSet memory set = setOf(deals);
        _refused(deals, 0, set, sign(RENTER_KEY, digests.hashOrderSet(set)), expected);
    }

    // ---------------------------------------------------------------- signatures

    function test_signatures_that_are_not_the_renters_are_refused() public {
        Deal[] memory deals = dealsOf(2);
        ILeaseTypes.OrderSet memory set = setOf(deals);
        bytes32 digest = digests.hashOrderSet(set);
        bytes memory expected = abi.encodeWithSelector(ILeaseTypes.BadOrderSignature.selector, renter);
        _refused(deals, 0, set, sign(METER_KEY, digest), expected);
        _refused(deals, 0, set, sign(RENTER_KEY, deals[0].leaseId), expected);
        _refused(deals, 0, set, "", expected);
        bytes memory signature = sign(RENTER_KEY, digest);
        set.count += 1;
        _refused(deals, 0, set, signature, expected);
        set.count -= 1;
        set.totalDeposit += 1;
        _refused(deals, 0, set, signature, expected);
        set.totalDeposit -= 1;
        set.openBy += 1;
        _refused(deals, 0, set, signature, expected);
        set.openBy -= 1;
        set.salt += 1;
        _refused(deals, 0, set, signature, expected);
        set.salt -= 1;
        escrow.openFromSet(deals[0].order, deals[0].asks, set, proofOf(deals, 0), signature);
    }

    /// @dev A set is no order: what was signed for the one is worth nothing for the other.
    function test_the_sets_signature_opens_nothing_by_itself() public {
        Deal[] memory deals = dealsOf(1);
        bytes memory signature = sign(RENTER_KEY, digests.hashOrderSet(setOf(deals)));
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.BadOrderSignature.selector, renter));
        escrow.openFromBalance(deals[0].order, deals[0].asks, signature);
    }

    function _notIn(ILeaseTypes.OrderSet memory set, bytes32 leaseId) private view returns (bytes memory) {
        return abi.encodeWithSelector(ILeaseTypes.NotInSet.selector, digests.hashOrderSet(set), leaseId);
    }

    function _notInSet(Deal memory d, ILeaseTypes.OrderSet memory set, bytes32[] memory proof) private {
        bytes memory expected = _notIn(set, d.leaseId);
        vm.prank(renter);
        vm.expectRevert(expected);
        escrow.openFromSet(d.order, d.asks, set, proof, "");
    }

    function _exhausted(
        Deal[] memory deals,
        uint256 i,
        ILeaseTypes.OrderSet memory set,
        bytes32 field,
        uint256 limit
    ) private {
        bytes memory expected = abi.encodeWithSelector(
            ILeaseTypes.SetExhausted.selector, digests.hashOrderSet(set), field, limit
        );
        vm.prank(renter);
        vm.expectRevert(expected);
        escrow.openFromSet(deals[i].order, deals[i].asks, set, proofOf(deals, i), "");
    }

    function _refused(
        Deal[] memory deals,
        uint256 i,
        ILeaseTypes.OrderSet memory set,
        bytes memory signature,
        bytes memory expected
    ) private {
        bytes32[] memory proof = proofOf(deals, i);
        vm.prank(relayer);
        vm.expectRevert(expected);
        escrow.openFromSet(deals[i].order, deals[i].asks, set, proof, signature);
    }
}
