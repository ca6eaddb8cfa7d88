// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Accounts of operators: which agent keys are theirs, and the stake behind them
/// @notice An agent key belongs to exactly one operator, and has to agree to it by signature, so that nobody can
/// squat on another's key. An agent can only join while the stake covers every agent of its operator.
interface IOperators {
    struct Agent {
        address operator; // zero if unknown
        uint32 epoch; // asks signed for an older epoch are void
        uint40 joinedAt;
    }

    struct Account {
        uint128 stake; // token base units, unbonding not included
        uint128 unbonding;
        uint40 unbondedAt; // unix seconds when `unbonding` can be withdrawn
        uint32 agents;
    }

    event Joined(address indexed operator, address indexed agentKey);
    event Left(address indexed operator, address indexed agentKey);
    event AsksCancelled(address indexed agentKey, uint32 epoch);
    event Staked(address indexed operator, uint256 amount);
    event Unstaking(address indexed operator, uint256 amount, uint40 unbondedAt);
    event StakeWithdrawn(address indexed operator, uint256 amount);

    error AgentTaken(address agentKey, address operator);
    error BadAgentSignature(address agentKey);
    error ConsentWithdrawn(address agentKey, address operator);
    error NotYourAgent(address agentKey, address caller);
    error StakeTooSmall(uint256 stake, uint256 required);
    error NothingUnbonding();
    error StillUnbonding(uint40 unbondedAt);
    error TokenNotExact(uint256 received, uint256 expected);

    /// @notice Adds stake for the caller.
    function stake(uint256 amount) external;
    /// @notice The caller's machine joins. `signature`: by `agentKey` over EIP-712 `Join(address operator,address agentKey)`.
    function join(address agentKey, bytes calldata signature) external;
    /// @notice Operator or the agent itself. The epoch stays raised, so asks signed before cannot come back. An agent
    /// that leaves by its own call withdraws its consent for good: that operator cannot use its old `Join` again.
    function leave(address agentKey) external;
    /// @notice Voids every ask the agent has signed so far. Operator or the agent itself.
    function cancelAsks(address agentKey) external;
    /// @notice Starts unbonding. What stays must cover every agent. A second call adds and restarts the clock.
    function unstake(uint256 amount) external;
    function withdrawStake() external;

    function agent(address agentKey) external view returns (Agent memory);
    /// @notice As `agent`, for many keys in one call (what an escrow asks when a lease opens).
    function agents(address[] calldata agentKeys) external view returns (Agent[] memory);
    function account(address operator) external view returns (Account memory);
    function hashJoin(address operator, address agentKey) external view returns (bytes32);
}
