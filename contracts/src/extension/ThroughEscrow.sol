// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EscrowState} from "../escrow/EscrowState.sol";

/// @title Keeps the extension from being used by itself, where money would go into a contract that nobody looks at
abstract contract ThroughEscrow is EscrowState {
    address private immutable _self = address(this);

    modifier throughEscrow() {
        _requireEscrow();
        _;
    }

    function _requireEscrow() private view {
        if (address(this) == _self) revert OnlyThroughEscrow();
    }
}
