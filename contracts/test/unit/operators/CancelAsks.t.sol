// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IOperators} from "../../../src/interfaces/IOperators.sol";
import {OperatorsFixture} from "./OperatorsFixture.sol";

contract CancelAsksTest is OperatorsFixture {
    function setUp() public override {
        super.setUp();
        join(AGENT);
    }

    function test_operator_and_agent_raise_the_epoch() public {
        vm.expectEmit(address(operators));
        emit IOperators.AsksCancelled(agentKey(AGENT), 1);
        vm.prank(operator);
        operators.cancelAsks(agentKey(AGENT));
        vm.prank(agentKey(AGENT));
        operators.cancelAsks(agentKey(AGENT));
        vm.assertEq(epochOf(AGENT), 2, "twice");
        vm.assertEq(operators.agent(agentKey(AGENT)).operator, operator, "still the operator's");
    }

    function test_nobody_else_cancels() public {
        vm.expectRevert(abi.encodeWithSelector(IOperators.NotYourAgent.selector, agentKey(AGENT), relayer));
        vm.prank(relayer);
        operators.cancelAsks(agentKey(AGENT));
    }
}
