// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Balances} from "./escrow/Balances.sol";
import {Opening} from "./escrow/Opening.sol";
import {Settling} from "./escrow/Settling.sol";
import {IOperators} from "./interfaces/IOperators.sol";

/// @title The money of Latent
/// @notice What each function promises is written in `ILeaseEscrow`; the parts are in `escrow/`.
/// @dev Immutable; no owner; nothing can be paused. One contract per stablecoin.
contract LeaseEscrow is Opening, Settling {
    /// @param feeBps_ protocol fee in 1/10,000 of what operators are paid; at most `MAX_FEE_BPS`
    constructor(IERC20 token_, IOperators operators_, address treasury_, uint16 feeBps_)
        Balances(token_)
        Opening(operators_, feeBps_)
        Settling(treasury_)
    {}
}
