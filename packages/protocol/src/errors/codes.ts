/** What a caller can do: `never` (the same call cannot succeed), `later` (wait, then again), `now` (again at once). */
export type Retry = 'never' | 'later' | 'now';

interface ErrorCodeInfo {
  readonly retry: Retry;
  /** What it means, for the reference. */
  readonly meaning: string;
}

/** Every error code of Latent. The same codes are used in HTTP bodies, agent replies, logs, exit messages and docs. */
export const errorCodes = {
  // asks
  ASK_BAD_SIGNATURE: {
    retry: 'never',
    meaning:
      'The agent key named did not sign this ask for this chain and escrow; a digest does not say which is wrong.',
  },
  ASK_EXPIRED: { retry: 'never', meaning: 'The ask is no longer valid, or ends before the lease could open.' },
  ASK_CANCELLED: { retry: 'never', meaning: 'The agent has raised its epoch since it signed the ask.' },
  ASK_OVERSOLD: { retry: 'later', meaning: 'More devices are asked for than the machine has free.' },
  ASK_OUT_OF_RANGE: { retry: 'never', meaning: 'A number of the ask is outside of what the protocol allows.' },
  ASK_UNKNOWN_AGENT: { retry: 'never', meaning: 'The agent key does not belong to the operator on chain.' },
  ASK_RESOURCE_MISMATCH: { retry: 'never', meaning: 'The resource shown is not the one the ask was signed for.' },
  // books
  BOOK_LIED: { retry: 'never', meaning: 'A book stated something that a signed ask contradicts.' },
  BOOK_FORGED_ASK: { retry: 'never', meaning: 'A book served an ask that its agent never signed.' },
  BOOK_UNREACHABLE: { retry: 'later', meaning: 'A book did not answer.' },
  BOOK_RATE_LIMITED: { retry: 'later', meaning: 'Too many messages from one sender.' },
  // keepers, watchtowers
  WATCH_RATE_LIMITED: { retry: 'later', meaning: 'A keeper or watchtower takes no more from this sender for now.' },
  WATCH_UNREACHABLE: { retry: 'later', meaning: 'A keeper or watchtower did not answer.' },
  WATCH_RUNNING: { retry: 'never', meaning: 'A keeper or watchtower runs on this data folder already.' },
  WATCH_NOT_RUNNING: { retry: 'never', meaning: 'No keeper or watchtower runs on this data folder.' },
  // orders
  ORDER_NO_MATCH: { retry: 'later', meaning: 'Too few asks satisfy the order.' },
  ORDER_TOO_FEW_HOLDS: { retry: 'now', meaning: 'Too few agents would keep their ask free for the order.' },
  HOLD_REFUSED: { retry: 'later', meaning: 'The agent will not keep its ask free.' },
  HOLD_BAD_SIGNATURE: { retry: 'never', meaning: 'The hold is not signed by the agent key of the ask.' },
  // leases
  LEASE_NOT_ACTIVE: { retry: 'never', meaning: 'The lease is not open on chain.' },
  LEASE_MISMATCH: { retry: 'never', meaning: 'The order and members presented are not those of the lease.' },
  LEASE_NOT_MINE: { retry: 'never', meaning: 'The lease names no such member, or the caller does not hold it.' },
  LEASE_WINDOW_OPEN: { retry: 'later', meaning: 'The closing window has not passed yet.' },
  LEASE_NOT_SETTLED: { retry: 'later', meaning: 'The contract skipped the settlement.' },
  VOUCHER_BAD_SIGNATURE: { retry: 'never', meaning: 'The voucher is not signed by the meter key of the lease.' },
  VOUCHER_DECREASED: { retry: 'never', meaning: 'The voucher is for fewer device-seconds than one before it.' },
  VOUCHER_STOPPED: { retry: 'never', meaning: 'Vouchers stopped coming, so the agent ended the member.' },
  BUDGET_EXHAUSTED: { retry: 'never', meaning: 'The deposit of the lease is used up.' },
  // members, drivers
  MEMBER_LOST: { retry: 'now', meaning: 'A member stopped answering or failed.' },
  MEMBER_FAILED: { retry: 'never', meaning: 'The job ended with an error on a member.' },
  MEMBER_NOT_STARTED: { retry: 'never', meaning: 'The member has not been started, or has ended.' },
  DRIVER_REFUSED: { retry: 'never', meaning: 'The driver will not run this job.' },
  DRIVER_UNAVAILABLE: { retry: 'never', meaning: 'The driver cannot work on this machine.' },
  DRIVER_FAILED: { retry: 'later', meaning: 'The driver failed to carry out a call.' },
  NETWORK_UNAVAILABLE: { retry: 'never', meaning: 'A member cannot be in a private network.' },
  // images
  IMAGE_NOT_FOUND: { retry: 'never', meaning: 'The registry has no such image, or does not give it to everybody.' },
  IMAGE_INVALID: {
    retry: 'never',
    meaning:
      'The image is damaged, not for this kind of machine, or not made as images are; its publisher has to see to it.',
  },
  IMAGE_TOO_LARGE: { retry: 'never', meaning: 'The image is larger than the operator allows.' },
  IMAGE_UNREACHABLE: { retry: 'later', meaning: 'The registry of the image does not answer, or refuses for now.' },
  IMAGE_NO_SPACE: { retry: 'later', meaning: 'The machine of the operator has no room for the image.' },
  // job files
  JOB_FILE_INVALID: { retry: 'never', meaning: 'The job file does not parse or does not fit its schema.' },
  JOB_FIELD_UNSUPPORTED: { retry: 'never', meaning: 'The job file uses a field that is not honoured yet.' },
  JOB_FILES_TOO_LARGE: { retry: 'never', meaning: 'The files of the job exceed the limit.' },
  // sessions
  SESSION_UNKNOWN: { retry: 'never', meaning: 'There is no session of that name.' },
  SESSION_LIMIT: {
    retry: 'never',
    meaning: 'No session key allows the lease, and the wallet’s own key is not here to pay for it.',
  },
  // clusters
  CLUSTER_UNKNOWN: { retry: 'never', meaning: 'There is no cluster of that name.' },
  CLUSTER_EXISTS: { retry: 'never', meaning: 'A cluster of that name is running already.' },
  CLUSTER_HANDED_OVER: { retry: 'never', meaning: 'Another meter signs for the cluster now; this one does not.' },
  CLUSTER_NOT_RUNNING: { retry: 'never', meaning: 'The cluster has ended.' },
  RESULT_WRONG: { retry: 'never', meaning: 'The result of the job is not what it has to be.' },
  // proofs
  PROOF_TOO_LARGE: { retry: 'never', meaning: 'The proof is longer than any proof can be.' },
  PROOF_MALFORMED: { retry: 'never', meaning: 'The header of the proof is not one, or is out of range.' },
  PROOF_MISMATCH: {
    retry: 'never',
    meaning: 'The proof answers another challenge, or differs from what was declared.',
  },
  PROOF_WRONG_LENGTH: {
    retry: 'never',
    meaning: 'The proof is not exactly as long as its header and samples make it.',
  },
  PROOF_BAD_OPENING: { retry: 'never', meaning: 'What the proof opens does not lead to the root it committed to.' },
  PROOF_WRONG_INPUT: { retry: 'never', meaning: 'An opened input is not the one that the beacon gives.' },
  PROOF_WRONG_ENTRY: {
    retry: 'never',
    meaning: 'An opened value is not what the network computes: the work was not done.',
  },
  PROOF_LATE: { retry: 'never', meaning: 'A declaration or the proof came after its deadline, or out of turn.' },
  PROOF_NOT_MEASURED: { retry: 'later', meaning: 'The device could not be measured. That is no failure and no zero.' },
  // devices
  DEVICE_UNKNOWN: { retry: 'never', meaning: 'The machine has no such device.' },
  DEVICE_UNAVAILABLE: { retry: 'later', meaning: 'The library or driver that the device needs is missing or refuses.' },
  DEVICE_OUT_OF_MEMORY: { retry: 'later', meaning: 'The device has less free memory than the proof was to fill.' },
  DEVICE_LOST: {
    retry: 'later',
    meaning: 'The device stopped answering: it was reset, unplugged, or its driver failed.',
  },
  // network
  PEER_UNREACHABLE: { retry: 'later', meaning: 'No encrypted stream to the peer could be opened.' },
  PEER_WRONG_KEY: { retry: 'never', meaning: 'The peer proved another key than the one expected.' },
  PEER_ABSENT: { retry: 'later', meaning: 'The peer has no link to the book that was to introduce it.' },
  RELAY_QUOTA: {
    retry: 'later',
    meaning: 'The book has relayed for this peer what it relays without payment, and carries no more for now.',
  },
  RELAY_OVERFLOW: {
    retry: 'now',
    meaning: 'The other side took what was relayed to it too slowly, and the book let the channel go.',
  },
  STREAM_CLOSED: { retry: 'now', meaning: 'The stream ended before the answer.' },
  MESSAGE_TOO_LARGE: { retry: 'never', meaning: 'A message exceeds the limit of its kind.' },
  MESSAGE_INVALID: { retry: 'never', meaning: 'A message does not fit its schema.' },
  METHOD_UNKNOWN: { retry: 'never', meaning: 'The peer does not know this method.' },
  NOT_ALLOWED: { retry: 'never', meaning: 'The caller may not do this.' },
  // chain
  CHAIN_UNREACHABLE: { retry: 'later', meaning: 'The chain does not answer.' },
  CHAIN_REVERTED: { retry: 'never', meaning: 'The contract refused the call.' },
  CHAIN_WRONG: { retry: 'never', meaning: 'The endpoint serves another chain than the deployment names.' },
  CHAIN_DISAGREES: {
    retry: 'later',
    meaning: 'Endpoints of one chain contradict each other, or one contradicts itself: one of them is wrong or lies.',
  },
  CHAIN_NO_EFFECT: {
    retry: 'never',
    meaning: 'A transaction was mined for good, but what it was sent for has not happened.',
  },
  FEES_TOO_HIGH: { retry: 'later', meaning: 'The chain asks a higher fee than the caller allows.' },
  FUNDS_TOO_LOW: { retry: 'later', meaning: 'The account holds too little of the stablecoin or of gas.' },
  // machine
  CONFIG_INVALID: { retry: 'never', meaning: 'A setting is missing or wrong.' },
  DEVNET_NOT_RUNNING: { retry: 'never', meaning: 'No local network is up.' },
  DEVNET_RUNNING: { retry: 'never', meaning: 'A local network is up already in this folder.' },
  DEVNET_FAILED: { retry: 'later', meaning: 'A process of the local network did not come up.' },
  STORE_FAILED: { retry: 'later', meaning: 'Reading or writing the local store failed.' },
  CANCELLED: { retry: 'now', meaning: 'The caller stopped the operation.' },
  TIMED_OUT: { retry: 'later', meaning: 'An outside call took longer than its limit.' },
  INTERNAL: { retry: 'never', meaning: 'A defect in Latent. Please report it.' },
} as const satisfies Record<string, ErrorCodeInfo>;

export type ErrorCode = keyof typeof errorCodes;

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCodes, text);
}
