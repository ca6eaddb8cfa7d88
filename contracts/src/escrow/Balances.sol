// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC3009} from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {EscrowState} from "./EscrowState.sol";

/// @title What the escrow owes outside of leases, and the ways of the token in and out of it
abstract contract Balances is EscrowState {
    using SafeERC20 for IERC20;

    /// @dev Set once a balance was used. The word never returns to zero, so that paying an operator that has
    /// withdrawn costs 5,000 gas and not 22,100.
    uint256 private constant _USED = 1 << 255;
    /// @dev Set once its owner deposited: only the owner takes the balance out again.
    uint256 private constant _KEPT = 1 << 254;
    uint256 private constant _AMOUNT = (1 << 254) - 1;

    /// @dev An ERC-3009 signature, and when it holds.
    struct Authorization {
        uint256 validAfter;
        uint256 validBefore;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    function _balanceOf(address owner) internal view returns (uint256) {
        return _balances[owner] & _AMOUNT;
    }

    /// @dev Whether only the owner may take this balance out.
    function _isKept(address owner) internal view returns (bool) {
        return _balances[owner] & _KEPT != 0;
    }

    /// @dev A deposit is below 2^128 and every other credit part of one: 254 bits never fill.
    function _credit(address owner, uint256 amount) internal {
        unchecked {
            _balances[owner] = (_balances[owner] | _USED) + amount;
        }
    }

    /// @dev As `_credit`, by the owner's own will.
    function _keep(address owner, uint256 amount) internal {
        _balances[owner] |= _KEPT;
        _credit(owner, amount);
        emit Deposited(owner, amount);
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

    /// @dev Nothing is refused: a token that lacks ERC-3009 and takes any call for a success has then looked at no
    /// signature, and only what did not arrive would show it.
    /// @param nonce what the authorization is for: it moves nothing for anything else
    function _pullAuthorized(address from, uint256 amount, bytes32 nonce, Authorization memory authorization)
        internal
    {
        if (amount == 0) revert OrderOutOfRange("amount");
        uint256 before = token.balanceOf(address(this));
        IERC3009(address(token))
            .receiveWithAuthorization(
                from,
                address(this),
                amount,
                authorization.validAfter,
                authorization.validBefore,
                nonce,
                authorization.v,
                authorization.r,
                authorization.s
            );
        _requireReceived(before, amount);
    }

    function _requireReceived(uint256 before, uint256 amount) internal view {
        uint256 afterwards = token.balanceOf(address(this));
        uint256 received = afterwards > before ? afterwards - before : 0;
        if (received != amount) revert TokenNotExact(received, amount);
    }
}
