// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../interfaces/ILeaseTypes.sol";
import {IOperators} from "../interfaces/IOperators.sol";

/// @title The agents behind asks, asked for in one call
/// @dev Does what `operators.agents(keys)` does, with the keys copied straight from the asks and the answer left as it
/// came: 1,000 gas less for each agent. `Operators` is the escrow's own and fixed, so its answer's widths are not
/// checked again.
library AgentReader {
    uint256 private constant _MATCHED_ASK = 0x1e0;
    uint256 private constant _AGENT = 0x60;

    /// @return agents where the answer lies in memory: an agent for each ask, one after the other
    function read(IOperators operators, ILeaseTypes.MatchedAsk[] calldata asks)
        internal
        view
        returns (uint256 agents)
    {
        bytes4 selector = IOperators.agents.selector;
        assembly ("memory-safe") {
            let call_ := mload(0x40)
            mstore(call_, selector)
            mstore(add(call_, 0x04), 0x20)
            mstore(add(call_, 0x24), asks.length)
            let to := add(call_, 0x44)
            let key := add(asks.offset, 0x20) // behind `operator`
            for { let end := add(to, shl(5, asks.length)) } lt(to, end) { to := add(to, 0x20) } {
                mstore(to, calldataload(key))
                key := add(key, _MATCHED_ASK)
            }
            let done := staticcall(gas(), operators, call_, sub(to, call_), 0, 0)
            let size := add(0x40, mul(asks.length, _AGENT)) // offset, length, agents
            if iszero(and(done, eq(returndatasize(), size))) { revert(0, 0) }
            returndatacopy(call_, 0, size)
            mstore(0x40, add(call_, size))
            agents := add(call_, 0x40)
        }
    }

    /// @notice Agent `i` of an answer.
    function at(uint256 agents, uint256 i) internal pure returns (IOperators.Agent memory agent) {
        assembly ("memory-safe") {
            agent := add(agents, mul(i, _AGENT))
        }
    }
}
