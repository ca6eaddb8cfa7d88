export { leaseEscrowAbi, leaseExtensionAbi, operatorsAbi, testDollarAbi } from './chain/abi.ts';
export { type Deployment, deploymentSchema } from './chain/deployment.ts';
export { type ErrorCode, errorCodes, isErrorCode, type Retry } from './errors/codes.ts';
export {
  type ContractErrorInfo,
  type ContractErrorName,
  contractErrors,
  isContractError,
} from './errors/contract-errors.ts';
export {
  type ErrorBody,
  type ErrorDetail,
  errorBodySchema,
  LatentError,
  type LatentErrorOptions,
  toLatentError,
} from './errors/latent-error.ts';
export {
  type AskId,
  addressSchema,
  askIdSchema,
  hex32Schema,
  type LeaseId,
  leaseIdSchema,
  type PeerKey,
  peerKeySchema,
  signatureSchema,
  uintSchema,
} from './ids.ts';
export { auditLease, type LeaseAudit } from './lease/audit/audit-lease.ts';
export type { DepositMove } from './lease/audit/audit-money.ts';
export { type Check, type CheckList, createCheckList } from './lease/audit/check.ts';
export type {
  LeaseCall,
  LeaseEvidence,
  LeaseLogEntry,
  LeaseTransaction,
  Movement,
  Place,
  SignedClaim,
  StoredLease,
} from './lease/audit/lease-evidence.ts';
export {
  type Bill,
  type BillInput,
  type BillMember,
  type BillTransaction,
  billStanding,
  type CoordinationCost,
  computeBill,
  type GasPrices,
} from './lease/bill.ts';
export { assertMove, type MemberState, mayMove, memberStates } from './lease/member-machine.ts';
export { deliveredUnitsDown, feeBetween, type MemberClock, memberCharge, payableUnits } from './lease/metering.ts';
export { dismissedBits, leastDeposit, owedAt, type RunningLease, type WantedChange } from './lease/owed.ts';
export { payableRelayBytes, pricePerGibUp, relayRateDown, relayUnitsDown } from './lease/relay-metering.ts';
export type { Candidate } from './match/candidate.ts';
export { type MatchResult, matchOrder } from './match/match-order.ts';
export {
  type Refusal,
  type RefusalReason,
  type Relaxation,
  refusalReasons,
  refusalSchema,
  relaxationSchema,
} from './match/refusal.ts';
export { type Requirements, type RequirementsInput, requirementsSchema } from './match/requirements.ts';
export {
  type Claim,
  checkAttach,
  checkHold,
  hashClose,
  hashJoin,
  isPresenceOf,
  recoverClose,
  type SignedClose,
  type SignedHold,
  signAttach,
  signClose,
  signedCloseSchema,
  signedHoldSchema,
  signHold,
  signJoin,
  signPresence,
} from './messages/agreement.ts';
export {
  type Ask,
  askSchema,
  checkSignedAsk,
  type DeviceKind,
  deviceKinds,
  hashAsk,
  hashResource,
  type Resource,
  resourceSchema,
  type SignedAsk,
  signAsk,
  signedAskSchema,
} from './messages/ask.ts';
export { type Change, changeSchema, hashChange, signChange } from './messages/change.ts';
export { type EscrowDomain, escrowDomain, operatorsDomain } from './messages/domain.ts';
export { hashStop, hashWithdraw, type Stop, signStop, signWithdraw, type Withdraw } from './messages/exits.ts';
export {
  hashMembers,
  hashOrder,
  type LeaseTerms,
  leaseTermsSchema,
  MAX_MEMBERS,
  type Member,
  memberSchema,
  type Order,
  orderSchema,
  requiredDeposit,
  signOrder,
} from './messages/order.ts';
export {
  hashOrderSet,
  type OrderSet,
  orderSetSchema,
  orderTree,
  signOrderSet,
} from './messages/order-set.ts';
export {
  checkRelayAsk,
  RELAY_UNIT_BYTES,
  type RelayJoin,
  type RelayResource,
  type SignedRelayAsk,
  signedRelayAskSchema,
  signRelayAsk,
} from './messages/relay-ask.ts';
export {
  type ChangedLease,
  changedLeaseSchema,
  hashRoster,
  LEFT,
  openingRoster,
  type Roster,
  rosterSchema,
} from './messages/roster.ts';
export { hashSessionGrant, type SessionGrant, sessionGrantSchema, signSessionGrant } from './messages/session.ts';
export { messageTypes } from './messages/typed-data.ts';
export {
  checkVoucher,
  hashVoucher,
  type SignedVoucher,
  signedVoucherSchema,
  signVoucher,
  type Voucher,
  voucherSchema,
} from './messages/voucher.ts';
export { formatDollars, parseDollars, TOKEN_DECIMALS } from './money/dollars.ts';
export { chargeDown, chargeUp, hourlyFromRateUp, RATE_SCALE, rateFromHourlyDown } from './money/rate.ts';
export { type DigestSigner, openDigestSigner } from './signing/digest-signer.ts';
export { pureSecp256k1 } from './signing/pure-secp256k1.ts';
export type { Secp256k1 } from './signing/secp256k1.ts';
export { useSigning } from './signing/signing.ts';
export {
  attachParamsSchema,
  attachResultSchema,
  closeResultSchema,
  execExitSchema,
  execParamsSchema,
  type FilesResult,
  fetchParamsSchema,
  filesResultSchema,
  heldResultSchema,
  holdParamsSchema,
  holdResultSchema,
  type JobPhase,
  jobPhaseSchema,
  leaseParamsSchema,
  logsParamsSchema,
  MAX_FILES_BYTES,
  MAX_FILES_ENTRIES,
  type MemberStatus,
  memberStatusSchema,
  type StartParams,
  startParamsSchema,
  stopParamsSchema,
  voucherResultSchema,
} from './wire/agent-api.ts';
export {
  type AgentMessage,
  type AskTaken,
  agentMessageSchema,
  asksAnswerSchema,
  askTakenSchema,
  type BookMessage,
  type BookStatus,
  bookMessageSchema,
  bookStatusSchema,
  type ListedAsk,
  listedAskSchema,
  MAX_ASKS_PER_ANSWER,
  MAX_BOOK_ANSWER_BYTES,
  MAX_BOOK_REQUEST_BYTES,
  type MatchAnswer,
  type MatchRequest,
  matchAnswerSchema,
  matchRequestSchema,
  type RelayAnswer,
  relayAnswerSchema,
} from './wire/book-api.ts';
export {
  DISCOVERY_NONCE_BYTES,
  DISCOVERY_QUESTION_BYTES,
  type DiscoveryAnswer,
  type DiscoveryQuestion,
  type DiscoveryQuestionKind,
  decodeDiscoveryAnswer,
  decodeDiscoveryQuestion,
  encodeDiscoveryAnswer,
  encodeDiscoveryQuestion,
} from './wire/discovery-packet.ts';
export { imageReferenceSchema } from './wire/image-reference.ts';
export {
  type BookLinkMessage,
  bookLinkMessageSchema,
  type Discovery,
  FIRST_BOOK_CHANNEL,
  linkHelloText,
  MAX_ADDRESSES,
  MAX_LINK_MESSAGE_BYTES,
  PEER_LINK_PATH,
  type PeerLinkMessage,
  peerLinkMessageSchema,
  punchTokenSchema,
  udpAddressSchema,
} from './wire/peer-link.ts';
export {
  type EgressAbility,
  egressAbilitySchema,
  MAX_RANK,
  NETWORK_INTERFACE,
  NETWORK_PREFIX_LENGTH,
  type NetworkAbility,
  type NetworkPlan,
  type NetworkStatus,
  networkAbilitySchema,
  networkAddress,
  networkName,
  networkParamsSchema,
  networkPlanSchema,
  networkStatusSchema,
  planParamsSchema,
} from './wire/private-network.ts';
export {
  decodeRelayFrame,
  encodeRelayFrame,
  MAX_RELAY_PAYLOAD_BYTES,
  RELAY_HEADER_BYTES,
  type RelayFrame,
  writeRelayChannel,
} from './wire/relay-frame.ts';
export {
  claimHandedSchema,
  MAX_WATCH_ANSWER_BYTES,
  MAX_WATCH_REQUEST_BYTES,
  type PaperTaken,
  paperTakenSchema,
  voucherHandedSchema,
  type WatchDeed,
  type WatchStatus,
  watchDeedSchema,
  watchStatusSchema,
} from './wire/watch-api.ts';
