// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {ILeaseTypes} from "../interfaces/ILeaseTypes.sol";
import {IOperators} from "../interfaces/IOperators.sol";
import {IPermit2} from "../interfaces/IPermit2.sol";
import {LeaseHash} from "../libraries/LeaseHash.sol";

/// @title Everything that the escrow stores, and whose signatures count
/// @dev The first base of the escrow and of its extension, which works on the escrow's storage: all of it is declared
/// here, so that both see the same layout.
abstract contract EscrowState is ILeaseTypes, EIP712, Nonces, ReentrancyGuardTransient {
    uint256 public constant MAX_FEE_BPS = 50;
    uint256 public constant MAX_PREPAY = 60;
    uint256 public constant MIN_CLOSE_WINDOW = 15 minutes;
    uint256 public constant MAX_CLOSE_WINDOW = 7 days;
    /// @notice Members of one lease. Closing for 128 operators that were never paid before costs 5M gas: a third of
    /// the 2^24 that EIP-7825 allows a transaction, so that leases stay closable if new storage gets thrice as dear.
    uint256 public constant MAX_MEMBERS = 128;
    uint256 public constant RATE_SCALE = 1e9;

    /// @dev Of `Roster.until`: this member was paid what it claimed and its devices are free.
    uint256 internal constant _LEFT = 1;

    IERC20 public immutable token;
    IOperators public immutable operators;
    address public immutable treasury;
    /// @notice Protocol fee in 1/10,000 of what operators are paid.
    uint16 public immutable feeBps;
    /// @notice Zero where the chain has none.
    IPermit2 public immutable permit2;

    /// @dev Flags and amount, see `Balances`.
    mapping(address owner => uint256) internal _balances;
    mapping(bytes32 leaseId => Lease) internal _leases;
    mapping(bytes32 leaseId => bytes32) internal _paidUnitsHash;
    mapping(bytes32 leaseId => bytes32) internal _rosterHash;
    /// @dev Devices in open leases, plus one once it was ever used, so that the word never returns to zero.
    mapping(address agentKey => uint256) internal _devicesInUsePlusOne;
    mapping(address renter => mapping(address key => Session)) internal _sessions;
    mapping(bytes32 set => SetUse) internal _setUses;
    /// @dev Signed changes of a deposit that were made. Everything else that changes a lease can never be taken back, so
    /// that the roster a signature names as `before` does not come again; a deposit goes up and down.
    mapping(bytes32 change => bool) internal _madeChanges;

    constructor(Terms memory terms) EIP712("Latent LeaseEscrow", "1") {
        if (terms.treasury == address(0)) revert NoTreasury();
        if (terms.feeBps > MAX_FEE_BPS) revert FeeAboveMaximum(terms.feeBps, MAX_FEE_BPS);
        token = IERC20(terms.token);
        operators = IOperators(terms.operators);
        treasury = terms.treasury;
        feeBps = terms.feeBps;
        permit2 = IPermit2(terms.permit2);
    }

    function _leaseId(Order calldata order, bytes32 membersHash) internal view returns (bytes32) {
        return _hashTypedDataV4(LeaseHash.hashOrder(order, membersHash));
    }

    /// @dev Plain keys only: what an ERC-1271 wallet says can change after the service was delivered.
    function _signedByKey(bytes32 digest, bytes32 r, bytes32 vs, address key) internal pure returns (bool) {
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecover(digest, r, vs);
        return failure == ECDSA.RecoverError.NoError && signer == key;
    }

    function _signedByKey(bytes32 digest, bytes calldata signature, address key)
        internal
        pure
        returns (bool)
    {
        (address signer, ECDSA.RecoverError failure,) = ECDSA.tryRecoverCalldata(digest, signature);
        return failure == ECDSA.RecoverError.NoError && signer == key;
    }

    /// @dev ECDSA first: an account with EIP-7702 code still has its key.
    function _signedByWallet(bytes32 digest, bytes calldata signature, address wallet)
        internal
        view
        returns (bool)
    {
        return _signedByKey(digest, signature, wallet)
            || (wallet.code.length != 0
                && SignatureChecker.isValidERC1271SignatureNowCalldata(wallet, digest, signature));
    }
}
