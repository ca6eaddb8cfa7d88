// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";

/// @title The stablecoin of local chains. Worthless: anybody can mint any amount
/// @notice For development and tests only; never deploy it where a real stablecoin exists. It has the signatures that
/// USDC has (ERC-2612 and ERC-3009), so that clients need no second path. EIP-712 domain: "Test Dollar", version "1".
contract TestDollar is ERC20, ERC20Permit, ERC3009 {
    constructor() ERC20("Test Dollar", "tUSD") ERC20Permit("Test Dollar") {}

    /// @notice Makes `amount` base units (6 decimals) out of nothing. No permission needed.
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
