// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IOperators} from "./interfaces/IOperators.sol";

/// @title Accounts of operators
/// @dev Immutable; no owner; stake leaves only to the operator that posted it.
contract Operators is IOperators, EIP712, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @notice Seconds between `unstake` and `withdrawStake`.
    uint256 public constant UNBONDING = 14 days;
    bytes32 private constant _JOIN_TYPEHASH = keccak256("Join(address operator,address agentKey)");

    IERC20 public immutable token;
    /// @notice Token base units that an operator must have staked for each of its agents.
    uint128 public immutable stakePerAgent;

    mapping(address agentKey => Agent) private _agents;
    mapping(address operator => Account) private _accounts;
    mapping(address agentKey => mapping(address operator => bool)) private _consentWithdrawn;

    constructor(IERC20 token_, uint128 stakePerAgent_) EIP712("Latent Operators", "1") {
        token = token_;
        stakePerAgent = stakePerAgent_;
    }

    /// @inheritdoc IOperators
    function stake(uint256 amount) external nonReentrant {
        _accounts[msg.sender].stake += SafeCast.toUint128(amount);
        emit Staked(msg.sender, amount);
        uint256 balanceBefore = token.balanceOf(address(this));
        token.safeTransferFrom(msg.sender, address(this), amount);
        uint256 balanceAfter = token.balanceOf(address(this));
        uint256 received = balanceAfter > balanceBefore ? balanceAfter - balanceBefore : 0;
        if (received != amount) revert TokenNotExact(received, amount);
    }

    /// @inheritdoc IOperators
    function join(address agentKey, bytes calldata signature) external {
        Agent storage joining = _agents[agentKey];
        if (joining.operator != address(0)) revert AgentTaken(agentKey, joining.operator);
        if (_consentWithdrawn[agentKey][msg.sender]) revert ConsentWithdrawn(agentKey, msg.sender);
        (address signer, ECDSA.RecoverError failure,) =
            ECDSA.tryRecoverCalldata(hashJoin(msg.sender, agentKey), signature);
        if (failure != ECDSA.RecoverError.NoError || signer != agentKey) revert BadAgentSignature(agentKey);

        Account storage joined = _accounts[msg.sender];
        ++joined.agents;
        _requireCovered(joined.stake, joined.agents);
        joining.operator = msg.sender;
        joining.joinedAt = SafeCast.toUint40(block.timestamp);
        emit Joined(msg.sender, agentKey);
    }

    /// @inheritdoc IOperators
    function leave(address agentKey) external {
        Agent storage leaving = _ownOrSelf(agentKey);
        address operator = leaving.operator;
        if (msg.sender == agentKey) _consentWithdrawn[agentKey][operator] = true;
        --_accounts[operator].agents;
        leaving.operator = address(0);
        leaving.joinedAt = 0;
        ++leaving.epoch;
        emit Left(operator, agentKey);
    }

    /// @inheritdoc IOperators
    function cancelAsks(address agentKey) external {
        Agent storage cancelling = _ownOrSelf(agentKey);
        emit AsksCancelled(agentKey, ++cancelling.epoch);
    }

    /// @inheritdoc IOperators
    function unstake(uint256 amount) external {
        Account storage unstaking = _accounts[msg.sender];
        uint256 staked = unstaking.stake;
        if (amount > staked) revert StakeTooSmall(staked, amount);
        uint128 unbonding = SafeCast.toUint128(amount);
        unstaking.stake -= unbonding;
        _requireCovered(unstaking.stake, unstaking.agents);
        unstaking.unbonding += unbonding;
        unstaking.unbondedAt = SafeCast.toUint40(block.timestamp + UNBONDING);
        emit Unstaking(msg.sender, amount, unstaking.unbondedAt);
    }

    /// @inheritdoc IOperators
    function withdrawStake() external nonReentrant {
        Account storage withdrawing = _accounts[msg.sender];
        uint256 amount = withdrawing.unbonding;
        if (amount == 0) revert NothingUnbonding();
        if (block.timestamp < withdrawing.unbondedAt) revert StillUnbonding(withdrawing.unbondedAt);
        withdrawing.unbonding = 0;
        emit StakeWithdrawn(msg.sender, amount);
        token.safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc IOperators
    function agent(address agentKey) external view returns (Agent memory) {
        return _agents[agentKey];
    }

    /// @inheritdoc IOperators
    /// @dev What Solidity makes of this loop costs 900 gas more for each agent. Each is one word in storage (operator,
    /// epoch, joinedAt, from the lowest bits up) and three in the answer, which is written as it is returned.
    function agents(address[] calldata agentKeys) external view returns (Agent[] memory) {
        assembly ("memory-safe") {
            let answer := mload(0x40)
            mstore(answer, 0x20)
            mstore(add(answer, 0x20), agentKeys.length)
            let to := add(answer, 0x40)
            mstore(0x20, _agents.slot)
            for { let i := 0 } lt(i, agentKeys.length) { i := add(i, 1) } {
                mstore(0x00, calldataload(add(agentKeys.offset, shl(5, i))))
                let word := sload(keccak256(0x00, 0x40))
                mstore(to, and(word, 0xffffffffffffffffffffffffffffffffffffffff))
                mstore(add(to, 0x20), and(shr(160, word), 0xffffffff))
                mstore(add(to, 0x40), and(shr(192, word), 0xffffffffff))
                to := add(to, 0x60)
            }
            return(answer, sub(to, answer))
        }
    }

    /// @inheritdoc IOperators
    function account(address operator) external view returns (Account memory) {
        return _accounts[operator];
    }

    /// @inheritdoc IOperators
    function hashJoin(address operator, address agentKey) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(_JOIN_TYPEHASH, operator, agentKey)));
    }

    function _ownOrSelf(address agentKey) private view returns (Agent storage known) {
        known = _agents[agentKey];
        address operator = known.operator;
        if (operator == address(0) || (msg.sender != operator && msg.sender != agentKey)) {
            revert NotYourAgent(agentKey, msg.sender);
        }
    }

    function _requireCovered(uint256 staked, uint256 agentCount) private view {
        uint256 required = uint256(stakePerAgent) * agentCount;
        if (staked < required) revert StakeTooSmall(staked, required);
    }
}
