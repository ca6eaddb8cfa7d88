// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IOperators} from "../../../src/interfaces/IOperators.sol";
import {OperatorsFixture} from "./OperatorsFixture.sol";

contract LeaveTest is OperatorsFixture {
    function setUp() public override {
        super.setUp();
        join(AGENT);
    }

    function test_the_operator_removes_its_agent() public {
        _leaves(operator);
    }

    function test_the_agent_leaves_by_itself() public {
        _leaves(agentKey(AGENT));
    }

    function test_nobody_else_removes_an_agent() public {
        vm.expectRevert(
            abi.encodeWithSelector(IOperators.NotYourAgent.selector, agentKey(AGENT), operatorOf(0))
        );
        vm.prank(operatorOf(0));
        operators.leave(agentKey(AGENT));
    }

    function test_a_key_that_never_joined_cannot_leave() public {
        address stranger = agentKey(99);
        vm.expectRevert(abi.encodeWithSelector(IOperators.NotYourAgent.selector, stranger, stranger));
        vm.prank(stranger);
        operators.leave(stranger);
    }

    function test_an_agent_leaves_once() public {
        vm.prank(operator);
        operators.leave(agentKey(AGENT));
        vm.expectRevert(abi.encodeWithSelector(IOperators.NotYourAgent.selector, agentKey(AGENT), operator));
        vm.prank(operator);
        operators.leave(agentKey(AGENT));
    }

    function _leaves(address caller) private {
        vm.expectEmit(address(operators));
        emit IOperators.Left(operator, agentKey(AGENT));
        vm.prank(caller);
        operators.leave(agentKey(AGENT));
        IOperators.Agent memory agent = operators.agent(agentKey(AGENT));
        vm.assertEq(agent.operator, address(0), "nobody's");
        vm.assertEq(agent.epoch, 1, "asks are void");
        vm.assertEq(agent.joinedAt, 0, "joinedAt");
        vm.assertEq(agentsOf(operator), 0, "counted");
    }
}
