// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../src/interfaces/ILeaseTypes.sol";
import {EscrowFixture} from "./EscrowFixture.sol";

interface INonces {
    function nonces(address owner) external view returns (uint256);
}

/// @notice A renter with a balance, and makers of grants and of orders that a session key opens.
abstract contract SessionFixture is EscrowFixture {
    uint256 internal constant SESSION_KEY = uint256(keccak256("session"));
    uint96 internal constant FUNDS = 1000e6;
    uint96 internal constant SPEND_LIMIT = 500e6;
    uint32 internal constant MAX_DEVICES = 10;
    address internal immutable session = vm.addr(SESSION_KEY);

    function setUp() public virtual override {
        super.setUp();
        vm.prank(renter);
        escrow.deposit(FUNDS);
    }

    function nonceOf(address owner) internal view returns (uint256) {
        return INonces(address(escrow)).nonces(owner);
    }

    /// @dev A grant that can be made now: a day, $500, ten devices, at RATE at most.
    function grantOf(address from) internal view returns (ILeaseTypes.SessionGrant memory) {
        return ILeaseTypes.SessionGrant({
            renter: from,
            key: session,
            spendLimit: SPEND_LIMIT,
            maxRate: RATE,
            maxDevices: MAX_DEVICES,
            validUntil: uint40(block.timestamp + 1 days),
            nonce: nonceOf(from)
        });
    }

    function grant(ILeaseTypes.SessionGrant memory granted) internal {
        vm.prank(granted.renter);
        escrow.grantSession(granted, "");
    }

    /// @dev A deal of these asks that the session key opens.
    function sessionDeal(ILeaseTypes.MatchedAsk[] memory asks) internal returns (Deal memory) {
        ILeaseTypes.Order memory order = orderFor(asks);
        order.session = session;
        return deal(order, asks);
    }

    function sessionDealOf(uint256 count) internal returns (Deal memory) {
        return sessionDeal(asksOf(count));
    }

    function openBySession(Deal memory d) internal {
        vm.prank(session);
        escrow.openFromBalance(d.order, d.asks, "");
    }

    function spent() internal view returns (uint256) {
        return escrow.session(renter, session).spent;
    }
}
