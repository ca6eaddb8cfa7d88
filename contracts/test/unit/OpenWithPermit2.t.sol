// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {IPermit2} from "../../src/interfaces/IPermit2.sol";
import {EscrowFixture} from "../EscrowFixture.sol";
import {Permit2Double} from "../Permit2Double.sol";
import {Wallet} from "../Wallet.sol";

contract OpenWithPermit2Test is EscrowFixture {
    bytes32 private constant MEMBER =
        keccak256("Member(bytes32 ask,address operator,address agentKey,uint32 devices,uint64 rate)");
    /// @dev Written out, and not taken from the contract: wallets sign this.
    string private constant ORDER =
        "Order(address renter,address session,address meterKey,Member[] members,uint96 deposit,uint40 maxSeconds,uint32 closeWindow,uint16 prepay,uint16 maxFeeBps,uint40 openBy,bytes32 workload,uint256 salt)";
    string private constant REFERENCED =
        "Member(bytes32 ask,address operator,address agentKey,uint32 devices,uint64 rate)";
    uint256 private constant NONCE = 0x0123456789abcdef42;

    Permit2Double private _permit2;

    function setUp() public override {
        _permit2 = new Permit2Double();
        permit2 = address(_permit2);
        super.setUp();
        _approve(renter);
    }

    // ---------------------------------------------------------------- opening

    function test_anybody_opens_with_the_renters_one_signature() public {
        Deal memory d = dealOf(3);
        bytes memory signature = sign(RENTER_KEY, _digest(d, NONCE, block.timestamp));
        vm.prank(relayer);
        bytes32 leaseId = escrow.openWithPermit2(d.order, d.asks, NONCE, block.timestamp, signature);
        vm.assertEq(leaseId, d.leaseId, "id");
        vm.assertTrue(escrow.lease(leaseId).state == ILeaseTypes.State.ACTIVE, "active");
        vm.assertEq(token.balanceOf(address(escrow)), d.order.deposit, "held");
        vm.assertEq(escrow.balanceOf(renter), 0, "the deposit is no free balance");
    }

    function test_compact_signatures_are_taken() public {
        Deal memory d = dealOf(1);
        (bytes32 r, bytes32 vs) = vm.signCompact(RENTER_KEY, _digest(d, NONCE, block.timestamp));
        escrow.openWithPermit2(d.order, d.asks, NONCE, block.timestamp, abi.encodePacked(r, vs));
    }

    function test_a_contract_wallet_says_for_itself_what_it_signed() public {
        Wallet wallet = new Wallet(vm.addr(5));
        token.mint(address(wallet), 1e12);
        _approve(address(wallet));
        Deal memory d = dealOf(1);
        d.order.renter = address(wallet);
        d = deal(d.order, d.asks);
        bytes memory signature = sign(6, _digest(d, NONCE, block.timestamp));
        _refused(d, NONCE, block.timestamp, signature, Permit2Double.InvalidContractSignature.selector);
        signature = sign(5, _digest(d, NONCE, block.timestamp));
        escrow.openWithPermit2(d.order, d.asks, NONCE, block.timestamp, signature);
    }

    function test_nonces_have_no_order_and_serve_once() public {
        uint256[4] memory nonces = [type(uint256).max, 0, 255, 256];
        for (uint256 i; i < nonces.length; ++i) {
            Deal memory d = dealOf(1);
            bytes memory signature = sign(RENTER_KEY, _digest(d, nonces[i], block.timestamp));
            escrow.openWithPermit2(d.order, d.asks, nonces[i], block.timestamp, signature);
            d = dealOf(1);
            signature = sign(RENTER_KEY, _digest(d, nonces[i], block.timestamp));
            _refused(d, nonces[i], block.timestamp, signature, Permit2Double.InvalidNonce.selector);
        }
    }

    function test_a_signature_opens_once() public {
        Deal memory d = dealOf(1);
        bytes memory signature = sign(RENTER_KEY, _digest(d, NONCE, block.timestamp));
        escrow.openWithPermit2(d.order, d.asks, NONCE, block.timestamp, signature);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.AlreadyOpened.selector, d.leaseId));
        escrow.openWithPermit2(d.order, d.asks, NONCE, block.timestamp, signature);
    }

    // ---------------------------------------------------------------- refusals

    function test_an_escrow_without_permit2_refuses() public {
        ILeaseTypes.Terms memory terms = escrow.terms();
        terms.permit2 = address(0);
        escrow = deployEscrow(terms);
        digests = deployDigests(escrow);
        Deal memory d = dealOf(1);
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.NoPermit2.selector));
        escrow.openWithPermit2(d.order, d.asks, 0, block.timestamp, "");
    }

    function test_a_permit2_that_is_not_there_reverts() public {
        ILeaseTypes.Terms memory terms = escrow.terms();
        terms.permit2 = address(0xDEAD);
        escrow = deployEscrow(terms);
        digests = deployDigests(escrow);
        Deal memory d = dealOf(1);
        vm.expectRevert();
        escrow.openWithPermit2(d.order, d.asks, 0, block.timestamp, "");
    }

    function test_orders_of_a_session_key_are_refused() public {
        Deal memory d = dealOf(1);
        d.order.session = relayer;
        vm.expectRevert(abi.encodeWithSelector(ILeaseTypes.OrderOutOfRange.selector, bytes32("session")));
        escrow.openWithPermit2(d.order, d.asks, 0, block.timestamp, "");
    }

    function test_permit2s_deadline_holds_to_its_last_second() public {
        Deal memory d = dealOf(1);
        bytes memory signature = sign(RENTER_KEY, _digest(d, NONCE, START - 1));
        _refused(d, NONCE, START - 1, signature, Permit2Double.SignatureExpired.selector);
        signature = sign(RENTER_KEY, _digest(d, NONCE, START));
        escrow.openWithPermit2(d.order, d.asks, NONCE, START, signature);
    }

    function test_the_signature_binds_order_members_nonce_and_deadline() public {
        Deal memory d = dealOf(2);
        bytes memory signature = sign(RENTER_KEY, _digest(d, NONCE, START));
        bytes4 bad = Permit2Double.InvalidSigner.selector;
        _refused(d, NONCE + 1, START, signature, bad);
        _refused(d, NONCE, START + 1, signature, bad);
        d.order.deposit += 1;
        _refused(d, NONCE, START, signature, bad);
        d.order.deposit -= 1;
        d.order.meterKey = relayer;
        _refused(d, NONCE, START, signature, bad);
        d.order.meterKey = meter;
        d.order.salt += 1;
        _refused(d, NONCE, START, signature, bad);
        d.order.salt -= 1;
        ILeaseTypes.MatchedAsk memory kept = d.asks[1];
        d.asks[1] = matched(2, askOf(2), 1);
        _refused(d, NONCE, START, signature, bad);
        d.asks[1] = kept;
        escrow.openWithPermit2(d.order, d.asks, NONCE, START, signature);
    }

    function test_signatures_that_are_not_the_renters_are_refused() public {
        Deal memory d = dealOf(1);
        bytes memory signature = sign(METER_KEY, _digest(d, NONCE, START));
        _refused(d, NONCE, START, signature, Permit2Double.InvalidSigner.selector);
        _refused(d, NONCE, START, "", Permit2Double.InvalidSignatureLength.selector);
        _refused(d, NONCE, START, new bytes(65), Permit2Double.InvalidSigner.selector);
        _refused(d, NONCE, START, sign(RENTER_KEY, d.leaseId), Permit2Double.InvalidSigner.selector);
    }

    /// @dev The spender is signed: what was signed for this escrow serves nobody else.
    function test_nobody_else_uses_the_signature() public {
        Deal memory d = dealOf(1);
        bytes memory signature = sign(RENTER_KEY, _digest(d, NONCE, START));
        IPermit2.SignatureTransferDetails memory details =
            IPermit2.SignatureTransferDetails(relayer, d.order.deposit);
        vm.prank(relayer);
        vm.expectRevert(abi.encodeWithSelector(Permit2Double.InvalidSigner.selector));
        _permit2.permitWitnessTransferFrom(
            _permitOf(d, NONCE, START), details, renter, _witness(d), _witnessType(), signature
        );
    }

    function test_a_renter_without_money_opens_nothing() public {
        Deal memory d = dealOf(1);
        bytes memory signature = sign(RENTER_KEY, _digest(d, NONCE, START));
        uint256 all_ = token.balanceOf(renter);
        vm.prank(renter);
        token.transfer(relayer, all_);
        _refused(d, NONCE, START, signature, Permit2Double.TransferFailed.selector);
    }

    // ---------------------------------------------------------------- what the renter signs

    function _approve(address owner) private {
        vm.prank(owner);
        token.approve(permit2, type(uint256).max);
        vm.prank(owner);
        token.approve(address(escrow), 0);
    }

    function _permitOf(Deal memory d, uint256 nonce, uint256 deadline)
        private
        view
        returns (IPermit2.PermitTransferFrom memory)
    {
        return IPermit2.PermitTransferFrom(
            IPermit2.TokenPermissions(address(token), d.order.deposit), nonce, deadline
        );
    }

    function _witnessType() private pure returns (string memory) {
        return
            string.concat(
                "Order witness)", REFERENCED, ORDER, "TokenPermissions(address token,uint256 amount)"
            );
    }

    /// @dev EIP-712 hashStruct of the order, by `abi.encode`.
    function _witness(Deal memory d) private pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](d.members.length);
        for (uint256 i; i < hashes.length; ++i) {
            hashes[i] = keccak256(abi.encode(MEMBER, d.members[i]));
        }
        ILeaseTypes.Order memory order = d.order;
        bytes32 typehash = keccak256(bytes(string.concat(ORDER, REFERENCED)));
        bytes32 members = keccak256(abi.encodePacked(hashes));
        bytes memory front = abi.encode(typehash, order.renter, order.session, order.meterKey, members);
        bytes memory middle = abi.encode(order.deposit, order.maxSeconds, order.closeWindow, order.prepay);
        bytes memory back = abi.encode(order.maxFeeBps, order.openBy, order.workload, order.salt);
        return keccak256(bytes.concat(front, middle, back));
    }

    function _digest(Deal memory d, uint256 nonce, uint256 deadline) private view returns (bytes32) {
        return _permit2.digestOf(_permitOf(d, nonce, deadline), address(escrow), _witness(d), _witnessType());
    }

    function _refused(Deal memory d, uint256 nonce, uint256 deadline, bytes memory signature, bytes4 expected)
        private
    {
        (bool done, bytes memory reason) = address(escrow)
            .call(abi.encodeCall(escrow.openWithPermit2, (d.order, d.asks, nonce, deadline, signature)));
        vm.assertFalse(done, "opened");
        vm.assertEq(bytes32(bytes4(reason)), bytes32(expected), "reason");
    }
}
