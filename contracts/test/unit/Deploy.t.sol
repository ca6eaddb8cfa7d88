// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseEscrow} from "../../src/interfaces/ILeaseEscrow.sol";
import {ILeaseTypes} from "../../src/interfaces/ILeaseTypes.sol";
import {EscrowFixture} from "../EscrowFixture.sol";

interface IParameters {
    function token() external view returns (address);
    function operators() external view returns (address);
    function treasury() external view returns (address);
    function feeBps() external view returns (uint16);
    function extension() external view returns (address);
}

/// @notice Says that it was made with any terms.
contract AnyTerms {
    ILeaseTypes.Terms private _terms;

    constructor(ILeaseTypes.Terms memory terms_) {
        _terms = terms_;
    }

    function terms() external view returns (ILeaseTypes.Terms memory) {
        return _terms;
    }
}

contract DeployTest is EscrowFixture {
    function test_parameters_are_those_it_was_deployed_with() public view {
        IParameters parameters = IParameters(address(escrow));
        vm.assertEq(parameters.token(), address(token), "token");
        vm.assertEq(parameters.operators(), address(operators), "operators");
        vm.assertEq(parameters.treasury(), treasury, "treasury");
        vm.assertEq(parameters.feeBps(), FEE_BPS, "fee");
    }

    function test_its_terms_are_those_of_its_extension() public view {
        ILeaseTypes.Terms memory terms = escrow.terms();
        vm.assertEq(terms.token, address(token), "token");
        vm.assertEq(terms.operators, address(operators), "operators");
        vm.assertEq(terms.treasury, treasury, "treasury");
        vm.assertEq(terms.feeBps, FEE_BPS, "fee");
        vm.assertEq(terms.permit2, permit2, "permit2");
        bytes32 inEscrow = keccak256(abi.encode(terms));
        bytes32 inExtension = keccak256(abi.encode(ILeaseEscrow(_extension()).terms()));
        vm.assertEq(inEscrow, inExtension, "same in both");
    }

    function test_refuses_a_fee_above_half_a_percent() public {
        _refuses(
            ILeaseTypes.Terms(address(token), address(operators), treasury, 51, address(0)),
            abi.encodeWithSelector(ILeaseTypes.FeeAboveMaximum.selector, 51, 50)
        );
    }

    function test_refuses_to_have_no_treasury() public {
        _refuses(
            ILeaseTypes.Terms(address(token), address(operators), address(0), 50, address(0)),
            abi.encodePacked(ILeaseTypes.NoTreasury.selector)
        );
    }

    function test_takes_the_least_and_the_largest_fee() public {
        ILeaseTypes.Terms memory terms = escrow.terms();
        for (uint16 feeBps; feeBps <= 50; feeBps += 25) {
            terms.feeBps = feeBps;
            vm.assertEq(deployEscrow(terms).terms().feeBps, feeBps, "fee");
        }
    }

    function test_fits_the_size_that_a_contract_may_have() public view {
        vm.assertLe(address(escrow).code.length, 24_576, "LeaseEscrow");
        vm.assertLe(_extension().code.length, 24_576, "LeaseExtension");
        vm.assertLe(address(operators).code.length, 24_576, "Operators");
        vm.assertGe(address(escrow).code.length, 1000, "LeaseEscrow is there");
        vm.assertGe(_extension().code.length, 1000, "LeaseExtension is there");
    }

    function _extension() private view returns (address) {
        return IParameters(address(escrow)).extension();
    }

    /// @dev The same terms as arguments of an extension, and of an extension whose check was left out.
    function _refuses(ILeaseTypes.Terms memory terms, bytes memory expected) private {
        (address deployed, bytes memory reason) =
            _create(abi.encodePacked(vm.getCode("LeaseExtension.sol:LeaseExtension"), abi.encode(terms)));
        vm.assertEq(deployed, address(0), "extension");
        vm.assertEq(keccak256(reason), keccak256(expected), "extension's reason");
        (deployed, reason) = _create(
            abi.encodePacked(vm.getCode("LeaseEscrow.sol:LeaseEscrow"), abi.encode(new AnyTerms(terms)))
        );
        vm.assertEq(deployed, address(0), "escrow");
        vm.assertEq(keccak256(reason), keccak256(expected), "escrow's reason");
    }

    function _create(bytes memory creation) private returns (address where, bytes memory reason) {
        assembly ("memory-safe") {
            where := create(0, add(creation, 0x20), mload(creation))
            reason := mload(0x40)
            mstore(reason, returndatasize())
            returndatacopy(add(reason, 0x20), 0, returndatasize())
            mstore(0x40, add(add(reason, 0x40), returndatasize()))
        }
    }
}
