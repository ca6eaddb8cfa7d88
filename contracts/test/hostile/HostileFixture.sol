// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ChangeFixture} from "../ChangeFixture.sol";
import {Permit2Double} from "../Permit2Double.sol";
import {HostileToken} from "./HostileToken.sol";

/// @notice An escrow of a token that does as it is told. The renter has a balance.
abstract contract HostileFixture is ChangeFixture {
    HostileToken internal hostile;

    function setUp() public virtual override {
        vm.warp(START);
        permit2 = address(new Permit2Double());
        deployAll("HostileToken.sol:HostileToken");
        hostile = HostileToken(payable(address(token)));
        joinAgents(0, 4);
        fund(renter, 1e15);
        vm.startPrank(renter);
        token.approve(permit2, type(uint256).max);
        escrow.deposit(FUNDS);
        vm.stopPrank();
    }
}
