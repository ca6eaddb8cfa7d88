// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {EscrowFixture} from "../EscrowFixture.sol";

interface IDomain {
    function eip712Domain()
        external
        view
        returns (bytes1, string memory, string memory, uint256, address, bytes32, uint256[] memory);
}

/// @notice The hashes, which the contract computes in assembly, against EIP-712 written out with `abi.encode`.
contract LeaseHashTest is EscrowFixture {
    bytes32 private constant MEMBER =
        keccak256("Member(bytes32 ask,address operator,address agentKey,uint32 devices,uint64 rate)");

    function testFuzz_hashAsk(ILeaseTypes.Ask calldata ask) public view {
        bytes32 typehash = keccak256(
            "Ask(address operator,address agentKey,bytes32 resource,uint32 devices,uint64 rate,uint40 maxSeconds,uint32 closeWindow,uint16 prepay,uint16 maxFeeBps,uint40 validUntil,uint32 epoch,uint256 salt)"
        );
        vm.assertEq(digests.hashAsk(ask), _digest(keccak256(abi.encode(typehash, ask))), "ask");
    }

    function testFuzz_hashOrder(ILeaseTypes.Order calldata order, ILeaseTypes.Member[] calldata members)
        public
        view
    {
        bytes32 typehash = keccak256(
            "Order(address renter,address session,address meterKey,Member[] members,uint96 deposit,uint40 maxSeconds,uint32 closeWindow,uint16 prepay,uint16 maxFeeBps,uint40 openBy,bytes32 workload,uint256 salt)Member(bytes32 ask,address operator,address agentKey,uint32 devices,uint64 rate)"
        );
        bytes32[] memory hashes = new bytes32[](members.length);
        for (uint256 i; i < members.length; ++i) {
            hashes[i] = keccak256(abi.encode(MEMBER, members[i]));
        }
        bytes memory front =
            abi.encode(typehash, order.renter, order.session, order.meterKey, keccak256(abi.encodePacked(hashes)));
        bytes memory middle = abi.encode(order.deposit, order.maxSeconds, order.closeWindow, order.prepay);
        bytes memory back = abi.encode(order.maxFeeBps, order.openBy, order.workload, order.salt);
        bytes32 expected = _digest(keccak256(bytes.concat(front, middle, back)));
        vm.assertEq(digests.hashOrder(order, members), expected, "order");
    }

    function testFuzz_hashVoucher(bytes32 leaseId, uint96[] calldata units, uint40[] calldata accrueFrom)
        public
        view
    {
        bytes32 typehash = keccak256("Voucher(bytes32 leaseId,uint96[] units,uint40[] accrueFrom)");
        bytes32 unitsHash = keccak256(abi.encodePacked(units));
        bytes32 accrueHash = keccak256(abi.encodePacked(accrueFrom));
        bytes32 expected = _digest(keccak256(abi.encode(typehash, leaseId, unitsHash, accrueHash)));
        vm.assertEq(digests.hashVoucher(leaseId, units, accrueFrom), expected, "voucher");
    }

    function testFuzz_hashClose(bytes32 leaseId, uint32 member, uint96 units) public view {
        bytes32 typehash = keccak256("Close(bytes32 leaseId,uint32 member,uint96 units)");
        bytes32 expected = _digest(keccak256(abi.encode(typehash, leaseId, member, units)));
        vm.assertEq(digests.hashClose(leaseId, member, units), expected, "close");
    }

    function test_the_domain_names_contract_version_chain_and_address() public view {
        (, string memory name, string memory version, uint256 chainId, address at,,) =
            IDomain(address(escrow)).eip712Domain();
        vm.assertEq(keccak256(bytes(name)), keccak256("Latent LeaseEscrow"), "name");
        vm.assertEq(keccak256(bytes(version)), keccak256("1"), "version");
        vm.assertEq(chainId, block.chainid, "chain");
        vm.assertEq(at, address(escrow), "address");
    }

    function _digest(bytes32 structHash) private view returns (bytes32) {
        bytes32 domain = keccak256(
            abi.encode(
                keccak256(
                    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
                ),
                keccak256("Latent LeaseEscrow"),
                keccak256("1"),
                block.chainid,
                address(escrow)
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, structHash));
    }
}
