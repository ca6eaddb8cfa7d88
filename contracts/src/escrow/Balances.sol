// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {ILeaseEscrow} from "../interfaces/ILeaseEscrow.sol";

/// @title What the escrow owes outside of leases, and the ways of the token in and out of it
abstract contract Balances is ILeaseEscrow, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @dev Set once a balance was used. The word never returns to zero, so that paying an operator that has
    /// withdrawn costs 5,000 gas and not 22,100.
    uint256 private constant _USED = 1 << 255;
    /// @dev Set once its owner deposited: only the owner takes the balance out again.
    uint256 private constant _KEPT = 1 << 254;
    uint256 private constant _AMOUNT = (1 << 254) - 1;

    IERC20 public immutable token;

    /// @dev Flags and amount. A deposit is below 2^128 and every other credit part of one: 254 bits never fill.
    mapping(address owner => uint256) private _balances;

    constructor(IERC20 token_) {
        token = token_;
    }

    /// @inheritdoc ILeaseEscrow
    function deposit(uint256 amount) external nonReentrant {
        _balances[msg.sender] |= _KEPT;
        _credit(msg.sender, SafeCast.toUint128(amount));
        emit Deposited(msg.sender, amount);
        _pull(msg.sender, amount);
    }

    /// @inheritdoc ILeaseEscrow
    function withdraw(uint256 amount) external nonReentrant {
        _debit(msg.sender, amount);
        emit Withdrawn(msg.sender, amount);
        token.safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc ILeaseEscrow
    function sweep(address[] calldata owners) external nonReentrant {
        for (uint256 i; i < owners.length; ++i) {
            address owner = owners[i];
            uint256 word = _balances[owner];
            uint256 amount = word & _AMOUNT;
            if (amount == 0 || (word & _KEPT != 0 && owner != msg.sender)) continue;
            _balances[owner] = word - amount;
            if (token.trySafeTransfer(owner, amount)) emit Withdrawn(owner, amount);
            else _balances[owner] = word;
        }
    }

    /// @inheritdoc ILeaseEscrow
    function balanceOf(address owner) external view nonReentrantView returns (uint256) {
        return _balances[owner] & _AMOUNT;
    }

    function _credit(address owner, uint256 amount) internal {
        unchecked {
            _balances[owner] = (_balances[owner] | _USED) + amount;
        }
    }

    function _debit(address owner, uint256 amount) internal {
        uint256 word = _balances[owner];
        uint256 balance = word & _AMOUNT;
        if (balance < amount) revert InsufficientBalance(owner, balance, amount);
        _balances[owner] = word - amount;
    }

    /// @dev Sends, or keeps it here for an owner that the token refuses.
    function _push(address owner, uint256 amount) internal {
        if (token.trySafeTransfer(owner, amount)) return;
        _credit(owner, amount);
        emit Deposited(owner, amount);
    }

    function _pull(address from, uint256 amount) internal {
        uint256 before = token.balanceOf(address(this));
        token.safeTransferFrom(from, address(this), amount);
        _requireReceived(before, amount);
    }

    function _requireReceived(uint256 before, uint256 amount) internal view {
        uint256 afterwards = token.balanceOf(address(this));
        uint256 received = afterwards > before ? afterwards - before : 0;
        if (received != amount) revert TokenNotExact(received, amount);
    }
}
