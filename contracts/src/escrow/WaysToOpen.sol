// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {ILeaseCore} from "../interfaces/ILeaseCore.sol";
import {IPermit2} from "../interfaces/IPermit2.sol";
import {LeaseHash} from "../libraries/LeaseHash.sol";
import {Taking} from "./Taking.sol";

/// @title Opening by permit and by Permit2
abstract contract WaysToOpen is ILeaseCore, Taking {
    /// @dev How an order ends the type that Permit2 hashes.
    string private constant _WITNESS_TYPE =
        "Order witness)Member(bytes32 ask,address operator,address agentKey,uint32 devices,uint64 rate)Order(address renter,address session,address meterKey,Member[] members,uint96 deposit,uint40 maxSeconds,uint32 closeWindow,uint16 prepay,uint16 maxFeeBps,uint40 openBy,bytes32 workload,uint256 salt)TokenPermissions(address token,uint256 amount)";

    /// @inheritdoc ILeaseCore
    function openWithPermit(
        Order calldata order,
        MatchedAsk[] calldata asks,
        uint256 deadline,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external nonReentrant returns (bytes32 leaseId) {
        _requireRenter(order);
        _requireNoSession(order);
        (leaseId,) = _open(order, asks);
        IERC20Permit permitted = IERC20Permit(address(token));
        // A permit is public once sent: somebody may have used it first. The allowance decides, in `_pull`.
        try permitted.permit(order.renter, address(this), order.deposit, deadline, v, r, s) {} catch {}
        _pull(order.renter, order.deposit);
    }

    /// @inheritdoc ILeaseCore
    function openWithPermit2(
        Order calldata order,
        MatchedAsk[] calldata asks,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external nonReentrant returns (bytes32 leaseId) {
        if (address(permit2) == address(0)) revert NoPermit2();
        _requireNoSession(order);
        bytes32 membersHash;
        (leaseId, membersHash) = _open(order, asks);
        uint256 balanceBefore = token.balanceOf(address(this));
        permit2.permitWitnessTransferFrom(
            IPermit2.PermitTransferFrom(
                IPermit2.TokenPermissions(address(token), order.deposit), nonce, deadline
            ),
            IPermit2.SignatureTransferDetails(address(this), order.deposit),
            order.renter,
            LeaseHash.hashOrder(order, membersHash),
            _WITNESS_TYPE,
            signature
        );
        _requireReceived(balanceBefore, order.deposit);
    }
}
