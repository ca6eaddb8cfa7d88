// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {EscrowFixture} from "../EscrowFixture.sol";

interface IPermit {
    function permit(
        address owner,
        address spender,
        uint256 value,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external;
}

contract OpenWithPermitTest is EscrowFixture {
    Deal private _deal;
    uint256 private _deadline;
    uint8 private _v;
    bytes32 private _r;
    bytes32 private _s;

    function setUp() public override {
        super.setUp();
        vm.prank(renter);
        token.approve(address(escrow), 0);
        Deal memory d = dealOf(2);
        _deadline = block.timestamp + 1 hours;
        (_v, _r, _s) = permit(renter, RENTER_KEY, d.order.deposit, _deadline);
        _store(d);
    }

    function test_opens_with_one_transaction_and_no_allowance_before() public {
        vm.prank(renter);
        escrow.openWithPermit(_deal.order, _deal.asks, _deadline, _v, _r, _s);
        vm.assertEq(token.balanceOf(address(escrow)), _deal.order.deposit, "held");
        vm.assertTrue(escrow.lease(_deal.leaseId).state == ILeaseTypes.State.ACTIVE, "active");
    }

    function test_tolerates_a_permit_that_somebody_used_first() public {
        vm.prank(relayer);
        IPermit(address(token)).permit(renter, address(escrow), _deal.order.deposit, _deadline, _v, _r, _s);
        vm.prank(renter);
        escrow.openWithPermit(_deal.order, _deal.asks, _deadline, _v, _r, _s);
        vm.assertEq(token.balanceOf(address(escrow)), _deal.order.deposit, "held");
    }

    function test_reverts_with_a_bad_permit_and_no_allowance() public {
        vm.expectRevert();
        vm.prank(renter);
        escrow.openWithPermit(_deal.order, _deal.asks, _deadline, _v, _s, _r);
    }

    function test_only_the_renter_opens() public {
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.NotRenter.selector, relayer, renter));
        vm.prank(relayer);
        escrow.openWithPermit(_deal.order, _deal.asks, _deadline, _v, _r, _s);
    }

    function _store(Deal memory d) private {
        _deal.order = d.order;
        _deal.leaseId = d.leaseId;
        for (uint256 i; i < d.asks.length; ++i) {
            _deal.asks.push(d.asks[i]);
        }
    }
}
