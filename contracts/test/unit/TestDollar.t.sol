// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {EscrowFixture} from "../EscrowFixture.sol";

interface IDescribed {
    function name() external view returns (string memory);
    function symbol() external view returns (string memory);
    function decimals() external view returns (uint8);
    function eip712Domain()
        external
        view
        returns (bytes1, string memory, string memory, uint256, address, bytes32, uint256[] memory);
}

contract TestDollarTest is EscrowFixture {
    function test_says_what_it_is() public view {
        IDescribed described = IDescribed(address(token));
        vm.assertEq(keccak256(bytes(described.name())), keccak256("Test Dollar"), "name");
        vm.assertEq(keccak256(bytes(described.symbol())), keccak256("tUSD"), "symbol");
        vm.assertEq(described.decimals(), 6, "decimals");
    }

    function test_has_one_domain_for_permits_and_authorizations() public view {
        (, string memory name, string memory version, uint256 chainId, address at,,) =
            IDescribed(address(token)).eip712Domain();
        vm.assertEq(keccak256(bytes(name)), keccak256("Test Dollar"), "name");
        vm.assertEq(keccak256(bytes(version)), keccak256("1"), "version");
        vm.assertEq(chainId, block.chainid, "chain");
        vm.assertEq(at, address(token), "address");
    }

    function test_anybody_mints() public {
        vm.prank(relayer);
        token.mint(relayer, 42);
        vm.assertEq(token.balanceOf(relayer), 42, "minted");
    }
}
