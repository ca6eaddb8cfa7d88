// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {EscrowFixture} from "../EscrowFixture.sol";

contract DepositTest is EscrowFixture {
    function test_credits_the_caller_with_what_arrived() public {
        vm.expectEmit(address(escrow));
        emit ILeaseTypes.Deposited(renter, 7e6);
        vm.prank(renter);
        escrow.deposit(7e6);
        vm.assertEq(escrow.balanceOf(renter), 7e6, "credited");
        vm.assertEq(token.balanceOf(address(escrow)), 7e6, "received");
    }

    function test_adds_to_an_earlier_deposit() public {
        vm.startPrank(renter);
        escrow.deposit(7e6);
        escrow.deposit(1);
        vm.assertEq(escrow.balanceOf(renter), 7e6 + 1, "sum");
    }

    function test_reverts_without_an_allowance() public {
        address poor = address(0xB0);
        token.mint(poor, 1e6);
        vm.prank(poor);
        vm.expectRevert();
        escrow.deposit(1e6);
    }

    function test_reverts_beyond_128_bits() public {
        vm.prank(renter);
        vm.expectRevert();
        escrow.deposit(uint256(1) << 128);
    }
}
