// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IOperators} from "../../../src/interfaces/IOperators.sol";
import {OperatorsFixture} from "./OperatorsFixture.sol";

contract WithdrawStakeTest is OperatorsFixture {
    function test_after_unbonding_the_stake_goes_back() public {
        vm.startPrank(operator);
        operators.unstake(5);
        vm.warp(START + 14 days);
        uint256 before = token.balanceOf(operator);
        vm.expectEmit(address(operators));
        emit IOperators.StakeWithdrawn(operator, 5);
        operators.withdrawStake();
        vm.assertEq(token.balanceOf(operator) - before, 5, "returned");
        vm.assertEq(operators.account(operator).unbonding, 0, "nothing left");
        vm.expectRevert(abi.encodeWithSelector(IOperators.NothingUnbonding.selector));
        operators.withdrawStake();
    }

    function test_not_a_second_too_early() public {
        vm.startPrank(operator);
        operators.unstake(5);
        vm.warp(START + 14 days - 1);
        vm.expectRevert(abi.encodeWithSelector(IOperators.StillUnbonding.selector, uint40(START + 14 days)));
        operators.withdrawStake();
    }

    function test_stake_that_was_not_unstaked_stays() public {
        vm.warp(START + 365 days);
        vm.expectRevert(abi.encodeWithSelector(IOperators.NothingUnbonding.selector));
        vm.prank(operator);
        operators.withdrawStake();
    }
}
