// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ILeaseCore} from "../interfaces/ILeaseCore.sol";
import {Taking} from "./Taking.sol";

/// @title Putting money in, and opening a lease: every ask is checked, its devices taken, and the deposit pulled
abstract contract Opening is ILeaseCore, Taking {
    using SafeERC20 for IERC20;

    /// @inheritdoc ILeaseCore
    function deposit(uint256 amount) external nonReentrant {
        _keep(msg.sender, SafeCast.toUint128(amount));
        _pull(msg.sender, amount);
    }

    /// @inheritdoc ILeaseCore
    function withdraw(uint256 amount) external nonReentrant {
        _debit(msg.sender, amount);
        emit Withdrawn(msg.sender, amount);
        token.safeTransfer(msg.sender, amount);
    }

    /// @inheritdoc ILeaseCore
    function open(Order calldata order, MatchedAsk[] calldata asks)
        external
        nonReentrant
        returns (bytes32 leaseId)
    {
        _requireRenter(order);
        _requireNoSession(order);
        (leaseId,) = _open(order, asks);
        _pull(order.renter, order.deposit);
    }

    /// @inheritdoc ILeaseCore
    function openWithAuthorization(
        Order calldata order,
        MatchedAsk[] calldata asks,
        uint256 validAfter,
        uint256 validBefore,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant returns (bytes32 leaseId) {
        _requireNoSession(order);
        (leaseId,) = _open(order, asks);
        Authorization memory authorization = Authorization(validAfter, validBefore, v, r, s);
        _pullAuthorized(order.renter, order.deposit, leaseId, authorization);
    }

    /// @inheritdoc ILeaseCore
    function openFromBalance(Order calldata order, MatchedAsk[] calldata asks, bytes calldata signature)
        external
        nonReentrant
        returns (bytes32 leaseId)
    {
        (leaseId,) = _open(order, asks);
        _debit(order.renter, order.deposit);
        address key = order.session;
        if (key != address(0)) {
            if (msg.sender != key && !_signedByKey(leaseId, signature, key)) revert BadSignature(key);
            _spend(order.renter, key, asks, order.deposit);
        } else if (msg.sender != order.renter && !_signedByWallet(leaseId, signature, order.renter)) {
            revert BadOrderSignature(order.renter);
        }
    }
}
