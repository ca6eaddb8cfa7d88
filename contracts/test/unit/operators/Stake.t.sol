// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IOperators} from "../../../src/interfaces/IOperators.sol";
import {OperatorsFixture} from "./OperatorsFixture.sol";

contract StakeTest is OperatorsFixture {
    function test_adds_to_the_callers_stake() public {
        uint256 before = token.balanceOf(address(operators));
        vm.expectEmit(address(operators));
        emit IOperators.Staked(operator, 5);
        vm.prank(operator);
        operators.stake(5);
        vm.assertEq(operators.account(operator).stake, 2 * STAKE_PER_AGENT + 5, "staked");
        vm.assertEq(token.balanceOf(address(operators)) - before, 5, "received");
    }

    function test_reverts_without_an_allowance() public {
        vm.expectRevert();
        vm.prank(relayer);
        operators.stake(1);
    }

    function test_reverts_beyond_128_bits() public {
        vm.expectRevert();
        vm.prank(operator);
        operators.stake(uint256(1) << 128);
    }
}
