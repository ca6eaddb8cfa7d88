// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {EscrowFixture} from "../EscrowFixture.sol";

interface IParameters {
    function token() external view returns (address);
    function operators() external view returns (address);
    function treasury() external view returns (address);
    function feeBps() external view returns (uint16);
}

contract DeployTest is EscrowFixture {
    string private constant ARTIFACT = "LeaseEscrow.sol:LeaseEscrow";

    function test_parameters_are_those_it_was_deployed_with() public view {
        IParameters parameters = IParameters(address(escrow));
        vm.assertEq(parameters.token(), address(token), "token");
        vm.assertEq(parameters.operators(), address(operators), "operators");
        vm.assertEq(parameters.treasury(), treasury, "treasury");
        vm.assertEq(parameters.feeBps(), FEE_BPS, "fee");
    }

    function test_refuses_a_fee_above_half_a_percent() public {
        (bool deployed, bytes memory reason) = _deploy(treasury, 51);
        vm.assertFalse(deployed, "deployed");
        vm.assertEq(
            keccak256(reason),
            keccak256(abi.encodeWithSelector(ILeaseTypes.FeeAboveMaximum.selector, 51, 50)),
            "reason"
        );
    }

    function test_refuses_to_have_no_treasury() public {
        (bool deployed, bytes memory reason) = _deploy(address(0), 50);
        vm.assertFalse(deployed, "deployed");
        vm.assertEq(
            keccak256(reason), keccak256(abi.encodePacked(ILeaseTypes.NoTreasury.selector)), "reason"
        );
    }

    function test_fits_the_size_that_a_contract_may_have() public view {
        vm.assertLe(address(escrow).code.length, 24_576, "LeaseEscrow");
        vm.assertLe(address(operators).code.length, 24_576, "Operators");
    }

    function _deploy(address treasury_, uint16 feeBps) private returns (bool deployed, bytes memory reason) {
        bytes memory creation = abi.encodePacked(
            vm.getCode(ARTIFACT), abi.encode(address(token), address(operators), treasury_, feeBps)
        );
        address where;
        assembly ("memory-safe") {
            where := create(0, add(creation, 0x20), mload(creation))
            reason := mload(0x40)
            mstore(reason, returndatasize())
            returndatacopy(add(reason, 0x20), 0, returndatasize())
            mstore(0x40, add(add(reason, 0x40), returndatasize()))
        }
        deployed = where != address(0);
    }
}
