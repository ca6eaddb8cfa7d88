// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILeaseEscrow} from "../src/interfaces/ILeaseEscrow.sol";
import {LeaseDigests} from "../src/LeaseDigests.sol";
import {ILeaseTypes} from "../src/interfaces/ILeaseTypes.sol";
import {IOperators} from "../src/interfaces/IOperators.sol";
import {Test} from "./Test.sol";

/// @notice What tests call on the token: the test dollar's functions, hostile ones have some of them.
interface IToken {
    function mint(address to, uint256 amount) external;
    function approve(address spender, uint256 amount) external returns (bool);
    function transfer(address to, uint256 amount) external returns (bool);
    function balanceOf(address owner) external view returns (uint256);
    function allowance(address owner, address spender) external view returns (uint256);
    function nonces(address owner) external view returns (uint256);
    function authorizationState(address owner, bytes32 nonce) external view returns (bool);
    // forge-lint: disable-next-line(mixed-case-function)
    function DOMAIN_SEPARATOR() external view returns (bytes32);
}

/// @notice A deployed escrow, agents that joined, and makers of signed asks, orders, vouchers and claims.
/// @dev Contracts are deployed from their artifacts, so that a change in `src/` does not recompile every test.
abstract contract EscrowFixture is Test {
    /// @dev Everything needed to open a lease and to act on it later.
    struct Deal {
        ILeaseTypes.Order order;
        ILeaseTypes.MatchedAsk[] asks;
        ILeaseTypes.Member[] members;
        bytes32 membersHash;
        bytes32 leaseId;
    }

    uint256 internal constant START = 1_800_000_000;
    uint16 internal constant FEE_BPS = 50;
    uint128 internal constant STAKE_PER_AGENT = 10e6;
    /// @dev $2.00 an hour with 6 decimals.
    uint64 internal constant RATE = 555_555_555_556;
    uint40 internal constant MAX_SECONDS = 1 days;
    uint32 internal constant CLOSE_WINDOW = 1 hours;
    uint16 internal constant PREPAY = 30;

    uint256 internal constant RENTER_KEY = uint256(keccak256("renter"));
    uint256 internal constant METER_KEY = uint256(keccak256("meter"));
    address internal immutable renter = vm.addr(RENTER_KEY);
    address internal immutable meter = vm.addr(METER_KEY);
    address internal immutable treasury = address(0x72EA5);
    address internal immutable relayer = address(0x2E1A);

    IToken internal token;
    IOperators internal operators;
    /// @dev None, unless a test sets one before `deployAll`.
    address internal permit2;
    ILeaseEscrow internal escrow;
    LeaseDigests internal digests;
    uint256 private _salt;

    function setUp() public virtual {
        vm.warp(START);
        deployAll("TestDollar.sol:TestDollar");
        joinAgents(0, 4);
        fund(renter, 1e15);
    }

    function deployAll(string memory tokenArtifact) internal {
        token = IToken(vm.deployCode(tokenArtifact, ""));
        operators =
            IOperators(vm.deployCode("Operators.sol:Operators", abi.encode(address(token), STAKE_PER_AGENT)));
        escrow =
            deployEscrow(ILeaseTypes.Terms(address(token), address(operators), treasury, FEE_BPS, permit2));
        digests = deployDigests(escrow);
    }

    function deployDigests(ILeaseEscrow escrow_) internal returns (LeaseDigests) {
        return LeaseDigests(vm.deployCode("LeaseDigests.sol:LeaseDigests", abi.encode(escrow_)));
    }

    function deployEscrow(ILeaseTypes.Terms memory terms) internal returns (ILeaseEscrow) {
        address extension = vm.deployCode("LeaseExtension.sol:LeaseExtension", abi.encode(terms));
        return ILeaseEscrow(vm.deployCode("LeaseEscrow.sol:LeaseEscrow", abi.encode(extension)));
    }

    // ---------------------------------------------------------------- parties

    function agentSecret(uint256 i) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("agent", i)));
    }

    function agentKey(uint256 i) internal pure returns (address) {
        return vm.addr(agentSecret(i));
    }

    function operatorOf(uint256 i) internal pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode("operator", i)))));
    }

    function joinAgents(uint256 from, uint256 to) internal {
        for (uint256 i = from; i < to; ++i) {
            joinAgent(i, operatorOf(i));
        }
    }

    function joinAgent(uint256 i, address operator) internal {
        token.mint(operator, STAKE_PER_AGENT);
        vm.startPrank(operator);
        token.approve(address(operators), STAKE_PER_AGENT);
        operators.stake(STAKE_PER_AGENT);
        operators.join(agentKey(i), sign(agentSecret(i), operators.hashJoin(operator, agentKey(i))));
        vm.stopPrank();
    }

    /// @dev Mints and approves without limit.
    function fund(address owner, uint256 amount) internal {
        token.mint(owner, amount);
        vm.prank(owner);
        token.approve(address(escrow), type(uint256).max);
    }

    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    // ---------------------------------------------------------------- asks and orders

    function askOf(uint256 i) internal view returns (ILeaseTypes.Ask memory) {
        return ILeaseTypes.Ask({
            operator: operatorOf(i),
            agentKey: agentKey(i),
            resource: keccak256("resource"),
            devices: 1_000_000,
            rate: RATE,
            maxSeconds: 30 days,
            closeWindow: CLOSE_WINDOW,
            prepay: PREPAY,
            maxFeeBps: FEE_BPS,
            validUntil: uint40(block.timestamp + 1 days),
            epoch: operators.agent(agentKey(i)).epoch,
            salt: i
        });
    }

    function matched(uint256 i, ILeaseTypes.Ask memory ask, uint32 devices)
        internal
        view
        returns (ILeaseTypes.MatchedAsk memory)
    {
        (bytes32 r, bytes32 vs) = vm.signCompact(agentSecret(i), digests.hashAsk(ask));
        return ILeaseTypes.MatchedAsk(ask, devices, r, vs);
    }

    /// @dev One device of each of the first `count` agents.
    function asksOf(uint256 count) internal view returns (ILeaseTypes.MatchedAsk[] memory asks) {
        asks = new ILeaseTypes.MatchedAsk[](count);
        for (uint256 i; i < count; ++i) {
            asks[i] = matched(i, askOf(i), 1);
        }
    }

    function membersOf(ILeaseTypes.MatchedAsk[] memory asks)
        internal
        view
        returns (ILeaseTypes.Member[] memory members)
    {
        members = new ILeaseTypes.Member[](asks.length);
        for (uint256 i; i < asks.length; ++i) {
            ILeaseTypes.Ask memory ask = asks[i].ask;
            members[i] = ILeaseTypes.Member(
                digests.hashAsk(ask), ask.operator, ask.agentKey, asks[i].devices, ask.rate
            );
        }
    }

    /// @dev An order that opens: an exact deposit, the fixture's usual terms, a fresh salt.
    function orderFor(ILeaseTypes.MatchedAsk[] memory asks) internal returns (ILeaseTypes.Order memory) {
        return ILeaseTypes.Order({
            renter: renter,
            session: address(0),
            meterKey: meter,
            deposit: requiredDeposit(asks, MAX_SECONDS),
            maxSeconds: MAX_SECONDS,
            closeWindow: CLOSE_WINDOW,
            prepay: PREPAY,
            maxFeeBps: FEE_BPS,
            openBy: uint40(block.timestamp + 1 hours),
            workload: keccak256("workload"),
            salt: ++_salt
        });
    }

    function requiredDeposit(ILeaseTypes.MatchedAsk[] memory asks, uint256 maxSeconds)
        internal
        pure
        returns (uint96 required)
    {
        for (uint256 i; i < asks.length; ++i) {
            uint256 scaled = uint256(asks[i].devices) * asks[i].ask.rate * maxSeconds;
            required += uint96(scaled / 1e9 + (scaled % 1e9 == 0 ? 0 : 1));
        }
    }

    function deal(ILeaseTypes.Order memory order, ILeaseTypes.MatchedAsk[] memory asks)
        internal
        view
        returns (Deal memory)
    {
        ILeaseTypes.Member[] memory members = membersOf(asks);
        return Deal(order, asks, members, digests.hashMembers(members), digests.hashOrder(order, members));
    }

    function dealOf(uint256 count) internal returns (Deal memory) {
        ILeaseTypes.MatchedAsk[] memory asks = asksOf(count);
        return deal(orderFor(asks), asks);
    }

    function open(Deal memory d) internal {
        vm.prank(d.order.renter);
        escrow.open(d.order, d.asks);
    }

    /// @dev An open lease with one device of each of the first `count` agents.
    function opened(uint256 count) internal returns (Deal memory d) {
        d = dealOf(count);
        open(d);
    }

    // ---------------------------------------------------------------- vouchers and rows

    function all(uint256 count, uint256 value) internal pure returns (uint96[] memory units) {
        units = new uint96[](count);
        for (uint256 i; i < count; ++i) {
            units[i] = uint96(value);
        }
    }

    function voucher(bytes32 leaseId, uint96[] memory units, uint40[] memory accrueFrom, uint256 key)
        internal
        view
        returns (ILeaseTypes.Voucher memory)
    {
        (bytes32 r, bytes32 vs) = vm.signCompact(key, digests.hashVoucher(leaseId, units, accrueFrom));
        return ILeaseTypes.Voucher(units, accrueFrom, r, vs);
    }

    function noVoucher() internal pure returns (ILeaseTypes.Voucher memory) {
        return ILeaseTypes.Voucher(new uint96[](0), new uint40[](0), 0, 0);
    }

    /// @dev A row with a voucher of the meter key for `units`, accruing from the opening.
    function row(Deal memory d, uint96[] memory paid, uint96[] memory units)
        internal
        view
        returns (ILeaseTypes.Settlement memory)
    {
        ILeaseTypes.Voucher memory v = voucher(d.leaseId, units, new uint40[](units.length), METER_KEY);
        return _copy(ILeaseTypes.Settlement(d.order, d.members, paid, new ILeaseTypes.Roster[](0), v));
    }

    /// @dev A first row: nothing was paid before.
    function row(Deal memory d, uint96[] memory units) internal view returns (ILeaseTypes.Settlement memory) {
        return row(d, new uint96[](0), units);
    }

    function rowWithoutVoucher(Deal memory d, uint96[] memory paid)
        internal
        pure
        returns (ILeaseTypes.Settlement memory)
    {
        return
            _copy(ILeaseTypes.Settlement(d.order, d.members, paid, new ILeaseTypes.Roster[](0), noVoucher()));
    }

    /// @dev So that a test can spoil a row without spoiling the deal that it was made from.
    function _copy(ILeaseTypes.Settlement memory settlement)
        private
        pure
        returns (ILeaseTypes.Settlement memory)
    {
        return abi.decode(abi.encode(settlement), (ILeaseTypes.Settlement));
    }

    /// @dev A closing that every agent of the deal signs; agents are those of `asksOf`.
    function closing(Deal memory d, ILeaseTypes.Settlement memory settlement, uint96[] memory claimed)
        internal
        view
        returns (ILeaseTypes.Closing memory c)
    {
        c = ILeaseTypes.Closing(
            settlement, claimed, new bytes32[](claimed.length), new bytes32[](claimed.length)
        );
        for (uint256 i; i < claimed.length; ++i) {
            (c.r[i], c.vs[i]) =
                vm.signCompact(agentSecret(i), digests.hashClose(d.leaseId, uint32(i), claimed[i]));
        }
    }

    function checkpoint(ILeaseTypes.Settlement memory settlement) internal returns (uint256) {
        ILeaseTypes.Settlement[] memory rows = new ILeaseTypes.Settlement[](1);
        rows[0] = settlement;
        return escrow.checkpoint(rows);
    }

    function close(ILeaseTypes.Closing memory one) internal returns (uint256) {
        ILeaseTypes.Closing[] memory rows = new ILeaseTypes.Closing[](1);
        rows[0] = one;
        return escrow.close(rows);
    }

    function finalize(ILeaseTypes.Settlement memory settlement) internal returns (uint256) {
        ILeaseTypes.Settlement[] memory rows = new ILeaseTypes.Settlement[](1);
        rows[0] = settlement;
        return escrow.finalize(rows);
    }

    // ---------------------------------------------------------------- token signatures

    function authorization(Deal memory d, uint256 key, bytes32 nonce)
        internal
        view
        returns (uint8 v, bytes32 r, bytes32 s)
    {
        return authorize(d.order.renter, d.order.deposit, nonce, key);
    }

    /// @dev ERC-3009, for the escrow, valid for an hour.
    function authorize(address from, uint256 amount, bytes32 nonce, uint256 key)
        internal
        view
        returns (uint8 v, bytes32 r, bytes32 s)
    {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
                ),
                from,
                address(escrow),
                amount,
                uint256(0),
                block.timestamp + 1 hours,
                nonce
            )
        );
        return vm.sign(key, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash)));
    }

    function openWithAuthorization(Deal memory d) internal {
        (uint8 v, bytes32 r, bytes32 s) = authorization(d, RENTER_KEY, d.leaseId);
        vm.prank(relayer);
        escrow.openWithAuthorization(d.order, d.asks, 0, block.timestamp + 1 hours, v, r, s);
    }

    function permit(address owner, uint256 key, uint256 amount, uint256 deadline)
        internal
        view
        returns (uint8 v, bytes32 r, bytes32 s)
    {
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)"
                ),
                owner,
                address(escrow),
                amount,
                token.nonces(owner),
                deadline
            )
        );
        return vm.sign(key, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash)));
    }
}
