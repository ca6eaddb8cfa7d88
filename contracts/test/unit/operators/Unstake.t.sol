// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IOperators} from "../../../src/interfaces/IOperators.sol";
import {OperatorsFixture} from "./OperatorsFixture.sol";

contract UnstakeTest is OperatorsFixture {
    function test_starts_the_clock() public {
        vm.expectEmit(address(operators));
        emit IOperators.Unstaking(operator, 5, uint40(START + 14 days));
        vm.prank(operator);
        operators.unstake(5);
        IOperators.Account memory account = operators.account(operator);
        vm.assertEq(account.stake, 2 * STAKE_PER_AGENT - 5, "stake");
        vm.assertEq(account.unbonding, 5, "unbonding");
        vm.assertEq(account.unbondedAt, START + 14 days, "unbondedAt");
    }

    function test_a_second_call_adds_and_restarts_the_clock() public {
        vm.startPrank(operator);
        operators.unstake(5);
        vm.warp(START + 13 days);
        operators.unstake(7);
        IOperators.Account memory account = operators.account(operator);
        vm.assertEq(account.unbonding, 12, "sum");
        vm.assertEq(account.unbondedAt, START + 27 days, "restarted");
    }

    function test_what_stays_has_to_cover_every_agent() public {
        join(AGENT);
        vm.prank(operator);
        operators.unstake(STAKE_PER_AGENT);
        vm.expectRevert(
            abi.encodeWithSelector(IOperators.StakeTooSmall.selector, STAKE_PER_AGENT - 1, STAKE_PER_AGENT)
        );
        vm.prank(operator);
        operators.unstake(1);
    }

    function test_more_than_is_staked_is_refused() public {
        uint256 staked = 2 * STAKE_PER_AGENT;
        vm.startPrank(operator);
        vm.expectRevert(abi.encodeWithSelector(IOperators.StakeTooSmall.selector, staked, staked + 1));
        operators.unstake(staked + 1);
        vm.expectRevert(abi.encodeWithSelector(IOperators.StakeTooSmall.selector, staked, type(uint256).max));
        operators.unstake(type(uint256).max);
    }

    function test_unbonding_stake_does_not_cover_a_new_agent() public {
        vm.prank(operator);
        operators.unstake(2 * STAKE_PER_AGENT);
        bytes memory signature = consent(AGENT);
        vm.expectRevert(abi.encodeWithSelector(IOperators.StakeTooSmall.selector, 0, STAKE_PER_AGENT));
        vm.prank(operator);
        operators.join(agentKey(AGENT), signature);
    }
}
