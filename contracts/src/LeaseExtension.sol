// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EscrowState} from "./escrow/EscrowState.sol";
import {Changing} from "./extension/Changing.sol";
import {Exits} from "./extension/Exits.sol";
import {OrderSets} from "./extension/OrderSets.sol";
import {Sessions} from "./extension/Sessions.sol";
import {Views} from "./extension/Views.sol";

/// @title The second half of the escrow: its code, none of its storage and none of its money
/// @dev Called by the escrow with DELEGATECALL only; refuses to act on its own.
contract LeaseExtension is OrderSets, Sessions, Changing, Exits, Views {
    constructor(Terms memory terms_) EscrowState(terms_) {}
}
