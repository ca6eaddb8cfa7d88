/** EIP-712 types. All up to `Join` are also in `contracts/src/libraries`; `vectors/messages.json` holds both sides to it. */
export const messageTypes = {
  Ask: [
    { name: 'operator', type: 'address' },
    { name: 'agentKey', type: 'address' },
    { name: 'resource', type: 'bytes32' },
    { name: 'devices', type: 'uint32' },
    { name: 'rate', type: 'uint64' },
    { name: 'maxSeconds', type: 'uint40' },
    { name: 'closeWindow', type: 'uint32' },
    { name: 'prepay', type: 'uint16' },
    { name: 'maxFeeBps', type: 'uint16' },
    { name: 'validUntil', type: 'uint40' },
    { name: 'epoch', type: 'uint32' },
    { name: 'salt', type: 'uint256' },
  ],
  Member: [
    { name: 'ask', type: 'bytes32' },
    { name: 'operator', type: 'address' },
    { name: 'agentKey', type: 'address' },
    { name: 'devices', type: 'uint32' },
    { name: 'rate', type: 'uint64' },
  ],
  Order: [
    { name: 'renter', type: 'address' },
    { name: 'session', type: 'address' },
    { name: 'meterKey', type: 'address' },
    { name: 'members', type: 'Member[]' },
    { name: 'deposit', type: 'uint96' },
    { name: 'maxSeconds', type: 'uint40' },
    { name: 'closeWindow', type: 'uint32' },
    { name: 'prepay', type: 'uint16' },
    { name: 'maxFeeBps', type: 'uint16' },
    { name: 'openBy', type: 'uint40' },
    { name: 'workload', type: 'bytes32' },
    { name: 'salt', type: 'uint256' },
  ],
  Voucher: [
    { name: 'leaseId', type: 'bytes32' },
    { name: 'units', type: 'uint96[]' },
    { name: 'accrueFrom', type: 'uint40[]' },
  ],
  Close: [
    { name: 'leaseId', type: 'bytes32' },
    { name: 'member', type: 'uint32' },
    { name: 'units', type: 'uint96' },
  ],
  Stop: [
    { name: 'leaseId', type: 'bytes32' },
    { name: 'deadline', type: 'uint40' },
  ],
  Change: [
    { name: 'leaseId', type: 'bytes32' },
    { name: 'before', type: 'bytes32' },
    { name: 'added', type: 'Member[]' },
    { name: 'dismissed', type: 'uint256' },
    { name: 'maxSeconds', type: 'uint40' },
    { name: 'deposit', type: 'uint96' },
    { name: 'changeBy', type: 'uint40' },
  ],
  SessionGrant: [
    { name: 'renter', type: 'address' },
    { name: 'key', type: 'address' },
    { name: 'spendLimit', type: 'uint96' },
    { name: 'maxRate', type: 'uint64' },
    { name: 'maxDevices', type: 'uint32' },
    { name: 'validUntil', type: 'uint40' },
    { name: 'nonce', type: 'uint256' },
  ],
  OrderSet: [
    { name: 'renter', type: 'address' },
    { name: 'root', type: 'bytes32' },
    { name: 'count', type: 'uint32' },
    { name: 'totalDeposit', type: 'uint128' },
    { name: 'openBy', type: 'uint40' },
    { name: 'salt', type: 'uint256' },
  ],
  Withdraw: [
    { name: 'owner', type: 'address' },
    { name: 'to', type: 'address' },
    { name: 'amount', type: 'uint256' },
    { name: 'nonce', type: 'uint256' },
    { name: 'deadline', type: 'uint40' },
  ],
  Join: [
    { name: 'operator', type: 'address' },
    { name: 'agentKey', type: 'address' },
  ],
  /** Off chain: an agent keeps an ask free for one renter until a time. Evidence if it is broken. */
  Hold: [
    { name: 'ask', type: 'bytes32' },
    { name: 'renter', type: 'address' },
    { name: 'devices', type: 'uint32' },
    { name: 'heldUntil', type: 'uint40' },
  ],
  /** Off chain: the meter key of a lease lets a transport key act for the lease. */
  Attach: [
    { name: 'leaseId', type: 'bytes32' },
    { name: 'peerKey', type: 'bytes32' },
  ],
  /**
   * Off chain: an agent shows a book that it holds the key of its asks; `challenge` is the book's, used once. `book` is the
   * URL that the agent dialled, so that a book cannot pass another book's challenge on and pose as the agent there.
   */
  Presence: [
    { name: 'agentKey', type: 'address' },
    { name: 'book', type: 'string' },
    { name: 'challenge', type: 'bytes32' },
  ],
  /** What a book offers to relay; only its hash is in the ask. */
  RelayResource: [
    { name: 'book', type: 'string' },
    { name: 'unitBytes', type: 'uint32' },
  ],
  /** What is offered; only its hash is in the ask. */
  Resource: [
    { name: 'kind', type: 'string' },
    { name: 'model', type: 'string' },
    { name: 'deviceMemoryMiB', type: 'uint32' },
    { name: 'cpuCores', type: 'uint16' },
    { name: 'memoryMiB', type: 'uint32' },
    { name: 'region', type: 'string' },
    { name: 'site', type: 'string' },
    { name: 'isolation', type: 'string' },
    { name: 'peerKey', type: 'bytes32' },
    { name: 'hints', type: 'string[]' },
  ],
} as const;
