// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IOperators} from "../../../src/interfaces/IOperators.sol";
import {OperatorsFixture} from "./OperatorsFixture.sol";

contract JoinTest is OperatorsFixture {
    function test_an_agent_that_signed_belongs_to_the_operator() public {
        bytes memory signature = consent(AGENT);
        vm.expectEmit(address(operators));
        emit IOperators.Joined(operator, agentKey(AGENT));
        vm.prank(operator);
        operators.join(agentKey(AGENT), signature);
        IOperators.Agent memory agent = operators.agent(agentKey(AGENT));
        vm.assertEq(agent.operator, operator, "operator");
        vm.assertEq(agent.epoch, 0, "epoch");
        vm.assertEq(agent.joinedAt, START, "joinedAt");
        vm.assertEq(agentsOf(operator), 1, "counted");
    }

    function test_an_agent_of_somebody_cannot_join_again() public {
        join(AGENT);
        bytes memory signature = consent(AGENT);
        vm.expectRevert(abi.encodeWithSelector(IOperators.AgentTaken.selector, agentKey(AGENT), operator));
        vm.prank(operator);
        operators.join(agentKey(AGENT), signature);
    }

    function test_nobody_joins_a_key_that_did_not_agree() public {
        _refused(sign(agentSecret(51), operators.hashJoin(operator, agentKey(AGENT))));
        _refused(sign(agentSecret(AGENT), operators.hashJoin(operatorOf(1), agentKey(AGENT))));
        _refused("");
        _refused(new bytes(65));
    }

    function test_consent_given_on_another_chain_does_not_count() public {
        vm.chainId(1);
        bytes memory signature = consent(AGENT);
        vm.chainId(31337);
        _refused(signature);
    }

    function test_the_stake_has_to_cover_every_agent() public {
        join(AGENT);
        join(AGENT + 1);
        bytes memory signature = consent(AGENT + 2);
        vm.expectRevert(
            abi.encodeWithSelector(
                IOperators.StakeTooSmall.selector, 2 * STAKE_PER_AGENT, 3 * STAKE_PER_AGENT
            )
        );
        vm.prank(operator);
        operators.join(agentKey(AGENT + 2), signature);
    }

    function test_an_agent_that_its_operator_removed_can_join_again() public {
        join(AGENT);
        vm.prank(operator);
        operators.leave(agentKey(AGENT));
        join(AGENT);
        vm.assertEq(epochOf(AGENT), 1, "the epoch stays raised");
    }

    function test_an_agent_that_left_cannot_be_taken_back_with_its_old_consent() public {
        join(AGENT);
        bytes memory signature = consent(AGENT);
        vm.prank(agentKey(AGENT));
        operators.leave(agentKey(AGENT));
        vm.expectRevert(
            abi.encodeWithSelector(IOperators.ConsentWithdrawn.selector, agentKey(AGENT), operator)
        );
        vm.prank(operator);
        operators.join(agentKey(AGENT), signature);
    }

    function test_an_agent_that_left_can_join_another_operator() public {
        join(AGENT);
        vm.prank(agentKey(AGENT));
        operators.leave(agentKey(AGENT));
        joinAgent(AGENT, operatorOf(60));
        vm.assertEq(operators.agent(agentKey(AGENT)).operator, operatorOf(60), "moved");
    }

    function _refused(bytes memory signature) private {
        vm.expectRevert(abi.encodeWithSelector(IOperators.BadAgentSignature.selector, agentKey(AGENT)));
        vm.prank(operator);
        operators.join(agentKey(AGENT), signature);
    }
}
