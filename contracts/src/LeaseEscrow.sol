// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EscrowState} from "./escrow/EscrowState.sol";
import {Opening} from "./escrow/Opening.sol";
import {Settling} from "./escrow/Settling.sol";
import {WaysToOpen} from "./escrow/WaysToOpen.sol";
import {ILeaseExtension} from "./interfaces/ILeaseExtension.sol";

/// @title The money of Latent
/// @notice What each function promises is written in `ILeaseEscrow`; the parts are in `escrow/`, and in `extension/` what
/// a contract of 24,576 bytes has no more room for.
/// @dev Immutable; no owner; nothing can be paused. One contract per stablecoin. The extension is fixed here, for ever, and
/// works on this contract's storage: who trusts an escrow looks at the code of both.
contract LeaseEscrow is Opening, WaysToOpen, Settling {
    address public immutable extension;

    /// @param extension_ a `LeaseExtension`; its terms are the escrow's
    constructor(ILeaseExtension extension_) EscrowState(extension_.terms()) {
        extension = address(extension_);
    }

    /// @dev What is not here is in the extension, or nowhere.
    fallback() external {
        address to = extension;
        assembly ("memory-safe") {
            let call_ := mload(0x40)
            calldatacopy(call_, 0, calldatasize())
            let done := delegatecall(gas(), to, call_, calldatasize(), 0, 0)
            returndatacopy(call_, 0, returndatasize())
            switch done
            case 0 { revert(call_, returndatasize()) }
            default { return(call_, returndatasize()) }
        }
    }
}
