/** Why a contract refuses a call, for people. */
export interface ContractErrorInfo {
  readonly cause: string;
  /** What to do about it, in one sentence. */
  readonly remedy: string;
}

const AGAIN = 'Read the lease again from the chain, and send the call with what it is now.';
const DEFECT = 'Report it: no call of this program should lead here.';

/**
 * Every error of our contracts, by its name in the ABI: of the escrow (`ILeaseTypes`), of the operators' accounts, of the
 * stablecoin, and of the library they are built from. A revert becomes `CHAIN_REVERTED` with this name in `details.error`.
 */
export const contractErrors = {
  // the escrow: opening
  NotRenter: {
    cause: 'Only the renter of the order can open it in this way.',
    remedy: 'Send it from the renter’s account, or open with a signature of the renter.',
  },
  BadOrderSignature: {
    cause: 'The signature presented is not the renter’s over this order, change or set.',
    remedy: 'Sign it anew with the renter’s key, for this chain and this escrow.',
  },
  AlreadyOpened: {
    cause: 'A lease of exactly these terms was opened before.',
    remedy: 'Go on with that one, or draft new terms with another salt.',
  },
  NoMembers: { cause: 'The order names no machine.', remedy: 'Match at least one ask.' },
  TooManyMembers: {
    cause: 'A lease has at most 128 members, those that left included.',
    remedy: 'Split the cluster into several leases.',
  },
  OrderExpired: {
    cause: 'The order, or the set that it is part of, was to be opened earlier.',
    remedy: 'Place the order again.',
  },
  OrderOutOfRange: {
    cause: 'The field named is outside of what the escrow allows, or does not go with this way to open.',
    remedy: 'Change that field; the limits are constants of the escrow.',
  },
  DepositTooSmall: {
    cause: 'The deposit does not cover all that the members can be paid.',
    remedy: 'Raise the deposit to the amount required, or shorten the lease.',
  },
  FeeAboveMaximum: {
    cause: 'The protocol fee is higher than the order, or the escrow itself, allows.',
    remedy: 'Allow the fee in the order’s maxFeeBps, or use another escrow.',
  },
  AskExpired: { cause: 'An ask is no longer valid.', remedy: 'Ask the books for the agent’s newer ask.' },
  AskOutOfRange: {
    cause: 'The lease wants more of an ask than it allows, in the field named.',
    remedy: 'Choose another ask, or make the lease shorter, its window longer or its prepay larger.',
  },
  BadAskSignature: {
    cause: 'An ask is not signed by its agent key, or was altered.',
    remedy: 'Take the ask from another book; the one it came from may be lying.',
  },
  UnknownAgent: {
    cause: 'The agent key does not belong to the operator that the ask names.',
    remedy: 'Choose another ask; this machine has left the network.',
  },
  AskCancelled: {
    cause: 'The operator has cancelled all asks that the agent signed before.',
    remedy: 'Ask the books for the agent’s newer ask.',
  },
  AskOversold: {
    cause: 'Fewer devices of the machine are free than are wanted: somebody was quicker.',
    remedy: 'Place the order again; other machines will be taken.',
  },
  NoPermit2: {
    cause: 'The escrow was made for a chain without Permit2.',
    remedy: 'Pay by authorization, permit or allowance.',
  },
  // the escrow: balances, sessions, sets
  InsufficientBalance: {
    cause: 'The balance in the escrow is smaller than the amount.',
    remedy: 'Deposit more: latent balance deposit.',
  },
  SessionNotValid: {
    cause: 'The session key was never granted, has run out, or was revoked.',
    remedy: 'Grant a new one: latent session create.',
  },
  SessionLimit: {
    cause: 'The lease goes beyond what the renter allowed the session key, in the field named.',
    remedy: 'Order less, or grant a session with higher limits: latent session create.',
  },
  NotInSet: {
    cause: 'The order is not one of those that the set’s signature covers.',
    remedy: 'Open exactly the orders that the set was made of, with their proofs.',
  },
  SetExhausted: {
    cause: 'As many leases, or as much money, as the set allows have been opened with it.',
    remedy: 'Sign a new set.',
  },
  // the escrow: running and ending
  NotActive: {
    cause: 'There is no open lease of these terms.',
    remedy: 'Look at its state: it may be closed, or not be mined yet.',
  },
  AlreadyStopping: { cause: 'The lease was stopped before.', remedy: 'Nothing: its clock stands still already.' },
  MayNotStop: {
    cause: 'Only the renter, its session key or the meter key can stop a lease.',
    remedy: 'Send a stop that one of them signed.',
  },
  StaleTerms: {
    cause: 'The lease was paid or changed since the call was made.',
    remedy: AGAIN,
  },
  ChangeOutOfRange: {
    cause: 'The change asks for something that this lease does not allow, in the field named.',
    remedy: 'Leave that part out, or end the lease and open another one.',
  },
  BadSignature: {
    cause: 'The signature presented is not one of those that this call accepts.',
    remedy: 'Sign it anew with the key named, for this chain and this escrow.',
  },
  SignatureExpired: { cause: 'The time that was signed for has passed.', remedy: 'Sign it again with a later time.' },
  TokenNotExact: {
    cause: 'The stablecoin moved another amount than it was told to.',
    remedy: 'Do not use this stablecoin: it takes a fee, or is not what it says.',
  },
  // the escrow: deployment
  NoTreasury: { cause: 'An escrow was to be made without an address for the fee.', remedy: 'Give a treasury.' },
  OnlyThroughEscrow: {
    cause: 'The second half of the escrow was called by itself.',
    remedy: 'Call the escrow’s address.',
  },
  // operators
  AgentTaken: { cause: 'The agent key belongs to another operator.', remedy: 'Make a new agent key for this machine.' },
  BadAgentSignature: {
    cause: 'The agent key has not agreed to belong to this operator.',
    remedy: 'Sign the consent with the agent key itself.',
  },
  ConsentWithdrawn: {
    cause: 'The agent key has left this operator by its own call, for good.',
    remedy: 'Make a new agent key for this machine.',
  },
  NotYourAgent: {
    cause: 'The agent key does not belong to the caller.',
    remedy: 'Call from its operator’s account, or from the agent key.',
  },
  StakeTooSmall: {
    cause: 'The stake does not cover every agent of the operator.',
    remedy: 'Stake more, or let an agent leave first.',
  },
  NothingUnbonding: { cause: 'No stake is on its way out.', remedy: 'Call unstake first.' },
  StillUnbonding: { cause: 'The stake is not free yet.', remedy: 'Wait until the time given.' },
  // the stablecoin
  ERC20InsufficientBalance: {
    cause: 'The account holds too little of the stablecoin.',
    remedy: 'Send some of it to the account, or order less.',
  },
  ERC20InsufficientAllowance: {
    cause: 'The account has not allowed the contract to take so much of the stablecoin.',
    remedy: 'Approve the amount first, or pay by authorization.',
  },
  ERC20InvalidApprover: { cause: 'The zero address cannot allow anything.', remedy: DEFECT },
  ERC20InvalidReceiver: { cause: 'The zero address cannot be paid.', remedy: 'Give another address.' },
  ERC20InvalidSender: { cause: 'The zero address has nothing to send.', remedy: DEFECT },
  ERC20InvalidSpender: { cause: 'The zero address cannot be allowed anything.', remedy: DEFECT },
  ERC2612ExpiredSignature: { cause: 'The permit was for an earlier time.', remedy: 'Sign a new one.' },
  ERC2612InvalidSigner: {
    cause: 'The permit is not signed by the owner of the money, or was used before.',
    remedy: 'Sign a new one with the owner’s key.',
  },
  ERC3009InvalidAuthorizationTime: {
    cause: 'The authorization is not valid yet, or no longer.',
    remedy: 'Place the order again, and check the clock of this machine.',
  },
  ERC3009InvalidSignature: {
    cause: 'The authorization is not signed by the owner of the money.',
    remedy: 'Sign it anew with the owner’s key, for this chain and this stablecoin.',
  },
  ERC3009UsedAuthorization: {
    cause: 'The authorization was used, or cancelled, before.',
    remedy: 'Look whether what it was for has happened; if not, sign a new one.',
  },
  // the library
  ECDSAInvalidSignature: { cause: 'The bytes presented are no signature.', remedy: 'Sign it again.' },
  ECDSAInvalidSignatureLength: { cause: 'A signature has 64 or 65 bytes.', remedy: 'Sign it again.' },
  ECDSAInvalidSignatureS: {
    cause: 'The signature is the second form of a valid one, which is refused.',
    remedy: 'Sign it with a program that makes the lower form.',
  },
  InvalidAccountNonce: {
    cause: 'The number that was signed is not the account’s next one: something else was used first.',
    remedy: 'Read the account’s nonce again, and sign anew.',
  },
  InvalidShortString: { cause: 'A stored name cannot be read.', remedy: DEFECT },
  StringTooLong: { cause: 'A name is too long to be stored.', remedy: DEFECT },
  ReentrancyGuardReentrantCall: {
    cause: 'The contract was called, or looked at, while a call of it was under way.',
    remedy: 'Call it in a transaction of its own.',
  },
  SafeCastOverflowedUintDowncast: { cause: 'A number is too large.', remedy: 'Give a smaller amount.' },
  SafeERC20FailedOperation: {
    cause: 'The stablecoin refused the transfer without saying why.',
    remedy: 'Check that the account holds and allows enough, and that the stablecoin has not blocked it.',
  },
} as const satisfies Record<string, ContractErrorInfo>;

export type ContractErrorName = keyof typeof contractErrors;

export function isContractError(name: string): name is ContractErrorName {
  return Object.hasOwn(contractErrors, name);
}
