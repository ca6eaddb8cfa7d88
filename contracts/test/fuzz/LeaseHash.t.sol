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
        bytes memory front =
            abi.encode(typehash, order.renter, order.session, order.meterKey, _hashAll(members));
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

    function testFuzz_hashStop(bytes32 leaseId, uint40 deadline) public view {
        bytes32 typehash = keccak256("Stop(bytes32 leaseId,uint40 deadline)");
        bytes32 expected = _digest(keccak256(abi.encode(typehash, leaseId, deadline)));
        vm.assertEq(digests.hashStop(leaseId, deadline), expected, "stop");
    }

    function testFuzz_hashChange(
        bytes32 leaseId,
        ILeaseTypes.Change calldata change,
        ILeaseTypes.Member[] calldata added
    ) public view {
        bytes32 typehash = keccak256(
            "Change(bytes32 leaseId,bytes32 before,Member[] added,uint256 dismissed,uint40 maxSeconds,uint96 deposit,uint40 changeBy)Member(bytes32 ask,address operator,address agentKey,uint32 devices,uint64 rate)"
        );
        bytes memory front = abi.encode(typehash, leaseId, change.before, _hashAll(added), change.dismissed);
        bytes memory back = abi.encode(change.maxSeconds, change.deposit, change.changeBy);
        bytes32 expected = _digest(keccak256(bytes.concat(front, back)));
        vm.assertEq(digests.hashChange(leaseId, change, added), expected, "change");
    }

    function testFuzz_hashSessionGrant(ILeaseTypes.SessionGrant calldata grant) public view {
        bytes32 typehash = keccak256(
            "SessionGrant(address renter,address key,uint96 spendLimit,uint64 maxRate,uint32 maxDevices,uint40 validUntil,uint256 nonce)"
        );
        bytes32 expected = _digest(keccak256(abi.encode(typehash, grant)));
        vm.assertEq(digests.hashSessionGrant(grant), expected, "grant");
    }

    function testFuzz_hashOrderSet(ILeaseTypes.OrderSet calldata set) public view {
        bytes32 typehash = keccak256(
            "OrderSet(address renter,bytes32 root,uint32 count,uint128 totalDeposit,uint40 openBy,uint256 salt)"
        );
        vm.assertEq(digests.hashOrderSet(set), _digest(keccak256(abi.encode(typehash, set))), "set");
    }

    function testFuzz_hashWithdraw(address owner, address to, uint256 amount, uint256 nonce, uint40 deadline)
        public
        view
    {
        bytes32 typehash =
            keccak256("Withdraw(address owner,address to,uint256 amount,uint256 nonce,uint40 deadline)");
        bytes32 expected = _digest(keccak256(abi.encode(typehash, owner, to, amount, nonce, deadline)));
        vm.assertEq(digests.hashWithdraw(owner, to, amount, nonce, deadline), expected, "withdraw");
    }

    function testFuzz_hashMembers(ILeaseTypes.Member[] calldata members) public view {
        vm.assertEq(digests.hashMembers(members), _hashAll(members), "members");
    }

    function testFuzz_hashRoster(ILeaseTypes.Roster calldata roster, ILeaseTypes.Member[] calldata members)
        public
        view
    {
        bytes32 expected = keccak256(
            abi.encode(
                roster.opened,
                roster.maxSeconds,
                roster.deposit,
                keccak256(abi.encodePacked(roster.from)),
                keccak256(abi.encodePacked(roster.until)),
                _hashAll(members)
            )
        );
        vm.assertEq(digests.hashRoster(roster, members), expected, "roster");
    }

    function test_the_domain_names_contract_version_chain_and_address() public view {
        (, string memory name, string memory version, uint256 chainId, address at,,) =
            IDomain(address(escrow)).eip712Domain();
        vm.assertEq(keccak256(bytes(name)), keccak256("Latent LeaseEscrow"), "name");
        vm.assertEq(keccak256(bytes(version)), keccak256("1"), "version");
        vm.assertEq(chainId, block.chainid, "chain");
        vm.assertEq(at, address(escrow), "address");
    }

    function _hashAll(ILeaseTypes.Member[] calldata members) private pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](members.length);
        for (uint256 i; i < members.length; ++i) {
            hashes[i] = keccak256(abi.encode(MEMBER, members[i]));
        }
        return keccak256(abi.encodePacked(hashes));
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
