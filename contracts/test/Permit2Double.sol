// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPermit2} from "../src/interfaces/IPermit2.sol";

interface IAnswersForItself {
    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4);
}

/// @notice A double of Permit2's `permitWitnessTransferFrom` for one token, written anew from its documentation
/// (https://docs.uniswap.org/contracts/permit2/reference/signature-transfer) and EIP-712: nonces without order, a
/// deadline, the caller as the spender, and the witness at the end of the signed type. No package that we know of
/// carries the real one.
/// @dev What it keeps of the real one beside that: its domain has no version; an account with code is asked by ERC-1271
/// and its key no longer counts; 64-byte signatures are EIP-2098; a signature for more may be used for less.
contract Permit2Double is IPermit2 {
    error SignatureExpired(uint256 signatureDeadline);
    error InvalidNonce();
    error InvalidAmount(uint256 maxAmount);
    error InvalidSigner();
    error InvalidSignatureLength();
    error InvalidContractSignature();
    error TransferFailed();

    string private constant _PERMISSIONS_TYPE = "TokenPermissions(address token,uint256 amount)";
    string private constant _TYPE_BEGINS =
        "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,";

    mapping(address owner => mapping(uint256 word => uint256 bits)) public nonceBitmap;

    // forge-lint: disable-next-line(mixed-case-function)
    function DOMAIN_SEPARATOR() public view returns (bytes32) {
        bytes32 typehash = keccak256("EIP712Domain(string name,uint256 chainId,address verifyingContract)");
        return keccak256(abi.encode(typehash, keccak256("Permit2"), block.chainid, address(this)));
    }

    function permitWitnessTransferFrom(
        PermitTransferFrom calldata permit,
        SignatureTransferDetails calldata transferDetails,
        address owner,
        bytes32 witness,
        string calldata witnessTypeString,
        bytes calldata signature
    ) external {
        if (block.timestamp > permit.deadline) {
            revert SignatureExpired(permit.deadline);
        }
        if (transferDetails.requestedAmount > permit.permitted.amount) {
            revert InvalidAmount(permit.permitted.amount);
        }
        _useNonce(owner, permit.nonce);
        _requireSigned(owner, digestOf(permit, msg.sender, witness, witnessTypeString), signature);
        _move(permit.permitted.token, owner, transferDetails);
    }

    /// @notice What the owner signs.
    function digestOf(
        PermitTransferFrom memory permit,
        address spender,
        bytes32 witness,
        string memory witnessTypeString
    ) public view returns (bytes32) {
        bytes32 permissions = keccak256(
            abi.encode(keccak256(bytes(_PERMISSIONS_TYPE)), permit.permitted.token, permit.permitted.amount)
        );
        bytes32 typehash = keccak256(bytes(string.concat(_TYPE_BEGINS, witnessTypeString)));
        bytes32 structHash =
            keccak256(abi.encode(typehash, permissions, spender, permit.nonce, permit.deadline, witness));
        return keccak256(abi.encodePacked(hex"1901", DOMAIN_SEPARATOR(), structHash));
    }

    /// @notice The owner's way to take signed permits back.
    function invalidateUnorderedNonces(uint256 word, uint256 bits) external {
        nonceBitmap[msg.sender][word] |= bits;
    }

    function _useNonce(address owner, uint256 nonce) private {
        uint256 bit = 1 << (nonce & 0xff);
        uint256 used = nonceBitmap[owner][nonce >> 8];
        if (used & bit != 0) revert InvalidNonce();
        nonceBitmap[owner][nonce >> 8] = used | bit;
    }

    function _requireSigned(address owner, bytes32 digest, bytes calldata signature) private view {
        if (owner.code.length != 0) {
            bytes4 answer = IAnswersForItself(owner).isValidSignature(digest, signature);
            if (answer != IAnswersForItself.isValidSignature.selector) revert InvalidContractSignature();
            return;
        }
        if (signature.length != 64 && signature.length != 65) revert InvalidSignatureLength();
        (bytes32 r, bytes32 s) = abi.decode(signature[:64], (bytes32, bytes32));
        uint8 v = signature.length == 65 ? uint8(signature[64]) : 27 + uint8(uint256(s) >> 255);
        if (signature.length == 64) s = bytes32(uint256(s) & (type(uint256).max >> 1));
        address signer = ecrecover(digest, v, r, s);
        if (signer == address(0) || signer != owner) revert InvalidSigner();
    }

    function _move(address token, address from, SignatureTransferDetails calldata details) private {
        (bool done, bytes memory answer) = token.call(
            abi.encodeWithSignature(
                "transferFrom(address,address,uint256)", from, details.to, details.requestedAmount
            )
        );
        if (!done || (answer.length != 0 && !abi.decode(answer, (bool)))) revert TransferFailed();
    }
}
