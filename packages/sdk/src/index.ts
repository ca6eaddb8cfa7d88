export type { BookExamination, Finding } from '@latent/transport';
export {
  type AgentLink,
  attachMember,
  claimMember,
  holdAsk,
  memberStatus,
  sendVoucher,
  startMember,
  stopMember,
} from './agents/agent-link.ts';
export { agentMethods, EXEC_STDERR, EXEC_STDOUT } from './agents/agent-methods.ts';
export { type ExecOnMemberOptions, execOnMember } from './agents/exec-on-member.ts';
export { fetchFiles } from './agents/fetch-files.ts';
export { streamLogs } from './agents/stream-logs.ts';
export { uploadFiles } from './agents/upload-files.ts';
export { askBook } from './books/ask-book.ts';
export { type PlacedOrder, type PlaceOrderParameters, placeOrder } from './books/place-order.ts';
export { toChainError } from './chain/chain-error.ts';
export { type ChainClient, connectChain, createChainClient } from './chain/connect-chain.ts';
export { readRosterHash } from './chain/read-escrow.ts';
export { type ContractCall, encodeCall, type SentTransaction, sendTransaction } from './chain/send-transaction.ts';
export { type WithChainOptions, withChain } from './chain/with-chain.ts';
export type { ClusterContext } from './clusters/cluster-context.ts';
export type { ClusterEvent, ClusterJournal } from './clusters/cluster-journal.ts';
export { clusterLinks } from './clusters/cluster-links.ts';
export {
  type ClusterPhase,
  type ClusterRecord,
  clusterRecordSchema,
  isMeteredElsewhere,
  isOver,
  type MemberView,
} from './clusters/cluster-record.ts';
export { draftLease } from './clusters/draft-lease.ts';
export { type HeldAsk, holdMembers } from './clusters/hold-members.ts';
export { type MeterContext, type MeterEnd, meterCluster } from './clusters/meter-cluster.ts';
export { openRenterTransport } from './clusters/open-renter-transport.ts';
export { type OrderDefaults, orderForJob } from './clusters/order-for-job.ts';
export { settleStopped } from './clusters/settle-stopped.ts';
export { tendCluster } from './clusters/tend-cluster.ts';
export { type FilledJob, fillEnvs } from './job/fill-envs.ts';
export type {
  DeviceRequirement,
  FileMount,
  JobFile,
  JobIsolation,
  JobNetworkKind,
  JobRequirements,
  LatentSection,
} from './job/job.ts';
export { jobTaskId, type RankEnvironment, rankEnvironment } from './job/job-environment.ts';
export { type PackedFiles, packFiles } from './job/pack-files.ts';
export { packJobFiles } from './job/pack-job-files.ts';
export { parseJobFile } from './job/parse-job-file.ts';
export { unpackFiles } from './job/unpack-files.ts';
export { billLease, defaultGasPrices } from './leases/bill-lease.ts';
export {
  type ChangeConsent,
  changeLease,
  type LeaseChangePlan,
  planChange,
  type WantedLeaseChange,
} from './leases/change-lease.ts';
export { type DraftedOrderSet, type DraftOrderSetParameters, draftOrderSet } from './leases/draft-order-set.ts';
export { checkpointLease, closeLease, finalizeLease, type SettleParameters, stopLease } from './leases/end-lease.ts';
export { type ChainReader, parseAnswer, readerOf } from './leases/evidence/chain-reader.ts';
export { readEvidence } from './leases/evidence/read-evidence.ts';
export { formatVoucherFile, MAX_VOUCHER_FILE_BYTES, parseVoucherFile } from './leases/evidence/voucher-file.ts';
export { type LeaseEvent, type LeaseHistory, leaseHistory } from './leases/lease-history.ts';
export { leasesOf } from './leases/leases-of.ts';
export { leaveLease } from './leases/leave-lease.ts';
export { fundOrderSet, type OpenFromSetParameters, openFromSet } from './leases/open-from-set.ts';
export { type OpenLeaseParameters, openLease } from './leases/open-lease.ts';
export { type OpenedLeases, openedLeases } from './leases/opened-leases.ts';
export type { Funding } from './leases/pay-deposit.ts';
export {
  type LeaseToOpen,
  type PreparedLease,
  type PreparedOpening,
  prepareLease,
  prepareOpening,
} from './leases/prepare-opening.ts';
export { readChainTime } from './leases/read-chain-time.ts';
export { type LeaseOnChain, readLease } from './leases/read-lease.ts';
export { readRoster } from './leases/read-roster.ts';
export { compactSignature, type SettlementParts, settlementRow } from './leases/settlement.ts';
export { stopLeaseFor } from './leases/stop-lease-for.ts';
export { type Examination, examineNetwork } from './network/examine-network.ts';
export { joinAgent } from './operators/join-agent.ts';
export { askRelay, readRelayOffer } from './relay/read-relay-offer.ts';
export { createRelayDesk, type RelayDesk } from './relay/relay-desk.ts';
export type { PaidTransport, RelayDeskContext } from './relay/relay-desk-context.ts';
export {
  promisedUp,
  type RelayJournal,
  type RelayLease,
  type RelayNeed,
  relayBudgetLeft,
  relayLeaseSchema,
} from './relay/relay-lease.ts';
export { settleRelayLeases } from './relay/settle-relay-leases.ts';
export { returnEther, sendEther, weiForGas } from './sessions/gas-money.ts';
export { type GrantSessionParameters, grantSession, revokeSession } from './sessions/grant-session.ts';
export {
  depositBalance,
  type WithdrawForParameters,
  withdrawBalance,
  withdrawBalanceFor,
} from './sessions/move-balance.ts';
export { type Balances, readBalances } from './sessions/read-balance.ts';
export { readSession, type SessionOnChain } from './sessions/read-session.ts';
export { type SessionShortfall, sessionShortfall } from './sessions/session-shortfall.ts';
export { promiseUp } from './vouchers/fit-budget.ts';
export { handOverMeter } from './vouchers/hand-over-meter.ts';
export { formatMeterFile, MAX_METER_FILE_BYTES, parseMeterFile } from './vouchers/meter-file.ts';
export { type OfflinePlan, planOffline } from './vouchers/plan-offline.ts';
export { createVoucherEngine, type VoucherEngine, type VoucherEngineOptions } from './vouchers/voucher-engine.ts';
export type { VoucherStore } from './vouchers/voucher-store.ts';
