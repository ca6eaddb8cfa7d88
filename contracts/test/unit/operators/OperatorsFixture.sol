// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EscrowFixture} from "../../EscrowFixture.sol";

/// @notice An operator with stake for two agents, none of which joined yet.
abstract contract OperatorsFixture is EscrowFixture {
    address internal immutable operator = operatorOf(50);
    uint256 internal constant AGENT = 50;

    function setUp() public virtual override {
        super.setUp();
        token.mint(operator, 100 * STAKE_PER_AGENT);
        vm.startPrank(operator);
        token.approve(address(operators), type(uint256).max);
        operators.stake(2 * STAKE_PER_AGENT);
        vm.stopPrank();
    }

    function consent(uint256 i) internal view returns (bytes memory) {
        return sign(agentSecret(i), operators.hashJoin(operator, agentKey(i)));
    }

    function join(uint256 i) internal {
        bytes memory signature = consent(i);
        vm.prank(operator);
        operators.join(agentKey(i), signature);
    }

    function epochOf(uint256 i) internal view returns (uint256) {
        return operators.agent(agentKey(i)).epoch;
    }

    function agentsOf(address of_) internal view returns (uint256) {
        return operators.account(of_).agents;
    }
}
