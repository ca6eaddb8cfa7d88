// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IOperators} from "../../../src/interfaces/IOperators.sol";
import {OperatorsFixture} from "./OperatorsFixture.sol";

contract AgentsTest is OperatorsFixture {
    function test_answers_for_many_keys_as_for_each() public {
        join(AGENT);
        vm.warp(START + 77);
        join(AGENT + 1);
        vm.prank(operator);
        operators.cancelAsks(agentKey(AGENT + 1));
        address[] memory keys = new address[](4);
        (keys[0], keys[1], keys[2], keys[3]) =
        (agentKey(AGENT + 1), agentKey(99), agentKey(AGENT), agentKey(AGENT + 1));
        IOperators.Agent[] memory agents = operators.agents(keys);
        vm.assertEq(agents.length, 4, "length");
        for (uint256 i; i < 4; ++i) {
            vm.assertEq(
                keccak256(abi.encode(agents[i])), keccak256(abi.encode(operators.agent(keys[i]))), "agent"
            );
        }
        vm.assertEq(agents[0].operator, operator, "operator");
        vm.assertEq(agents[0].epoch, 1, "epoch");
        vm.assertEq(agents[0].joinedAt, START + 77, "joinedAt");
        vm.assertEq(agents[1].operator, address(0), "unknown");
    }

    function test_answers_nothing_for_no_keys() public view {
        vm.assertEq(operators.agents(new address[](0)).length, 0, "empty");
    }

    /// @dev `agents` reads storage by hand: every field at its largest must come out whole and apart.
    function test_fields_at_their_limits_stay_apart() public {
        join(AGENT);
        bytes32 word = bytes32((uint256(type(uint40).max) << 192) | (uint256(type(uint32).max) << 160))
            | bytes32(uint256(uint160(operator)));
        vm.store(address(operators), _wordOf(agentKey(AGENT)), word);
        address[] memory keys = new address[](1);
        keys[0] = agentKey(AGENT);
        IOperators.Agent memory agent = operators.agents(keys)[0];
        vm.assertEq(agent.operator, operator, "operator");
        vm.assertEq(agent.epoch, type(uint32).max, "epoch");
        vm.assertEq(agent.joinedAt, type(uint40).max, "joinedAt");
    }

    function _wordOf(address key) private view returns (bytes32 word) {
        for (uint256 at; at < 20; ++at) {
            word = keccak256(abi.encode(key, at));
            if (vm.load(address(operators), word) != 0) return word;
        }
        revert("no storage word of the agent");
    }
}
