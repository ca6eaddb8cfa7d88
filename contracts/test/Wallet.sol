// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice A wallet that accepts what its key signed, until it is told to accept nothing.
contract Wallet {
    address private immutable _key;
    bool private _closed;

    constructor(address key) {
        _key = key;
    }

    function refuseEverything() external {
        _closed = true;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        (bytes32 r, bytes32 s) = abi.decode(signature[:64], (bytes32, bytes32));
        bool valid = !_closed && ecrecover(digest, uint8(signature[64]), r, s) == _key;
        return valid ? this.isValidSignature.selector : bytes4(0);
    }
}
