import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { systemClock } from '@latent/kit';
import { hashOrder, LatentError, type LeaseTerms, type Requirements, type SignedAsk } from '@latent/protocol';
import {
  type ClusterContext,
  type ClusterJournal,
  type ClusterRecord,
  clusterLinks,
  draftLease,
  holdMembers,
  jobTaskId,
  memberStatus,
  openLease,
  openRenterTransport,
  placeOrder,
  tendCluster,
} from '@latent/sdk';
import { bytesToBigInt, bytesToHex, type Hex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import type { LocalNetwork } from '../harness/local-network.ts';
import { createMemoryJournal } from './memory-journal.ts';
import type { SleepingJob } from './sleeping-job.ts';

/** Milliseconds that each step took. */
export interface LaunchTimes {
  /** Asks from both books, every signature checked, the agents looked up on chain, matched. */
  readonly order: number;
  readonly holds: number;
  /** Sent, mined, seen. */
  readonly open: number;
  /** Until every agent has taken up the lease. */
  readonly attach: number;
  readonly files: number;
  /** First voucher, start, until the last agent notes that its job runs. */
  readonly start: number;
  /** All of the above. */
  readonly total: number;
  /** From the order until the renter's client has seen all ranks running. */
  readonly seen: number;
}

export interface LaunchWishes extends SleepingJob {
  readonly requirements: Requirements;
  readonly signal: AbortSignal;
}

const NAME = 'bench';

/** Rents a cluster, waits until every rank runs, and closes the lease again. */
export async function launchOnce(network: LocalNetwork, wishes: LaunchWishes): Promise<LaunchTimes> {
  const { chain, devnet, renter } = network;
  const { requirements, signal } = wishes;
  const { machines, devicesPerMachine, seconds } = requirements;
  const peerSeed = randomBytes(32);
  const meterSecret = generatePrivateKey();
  const transport = openRenterTransport(peerSeed);
  try {
    const placed = performance.now();
    const order = await placeOrder(chain, { books: devnet.books, requirements, nowSeconds: nowSeconds(), signal });
    const ordered = performance.now();
    const { domain } = chain;
    const held = await holdMembers({
      ...{ domain, transport, order, machines, devicesPerMachine, renter: renter.address, signal },
    });
    const holdsTaken = performance.now();
    const asks = held.map(({ signed }) => signed);
    const terms = draftLease({
      ...{ domain, asks, devicesPerMachine, seconds, renter: renter.address, nowSeconds: nowSeconds() },
      meterKey: privateKeyToAccount(meterSecret).address,
      workload: bytesToHex(createHash('sha256').update(wishes.job.run).digest()),
      salt: bytesToBigInt(randomBytes(8)),
    });
    await openLease(chain, { funding: { kind: 'authorization', renter }, terms, asks });
    const opened = performance.now();
    const leaseId = hashOrder(domain, terms);
    const record = newRecord(wishes, { terms, asks, leaseId, peerSeed: bytesToHex(peerSeed), meterSecret });
    const tended = await tendUntilRunning({ ...network, transport, signal }, record);
    const running = await lastStart(transport, tended.record, signal);
    await closeCluster({ ...network, transport, signal }, tended.journal);
    return {
      order: ordered - placed,
      holds: holdsTaken - ordered,
      open: opened - holdsTaken,
      attach: tended.attached - opened,
      files: tended.filesSent - tended.attached,
      start: running - tended.filesSent,
      total: running - placed,
      seen: tended.seen - placed,
    };
  } finally {
    await transport.close();
  }
}

interface Parties extends LocalNetwork {
  readonly transport: ClusterContext['transport'];
  readonly signal: AbortSignal;
}

/** Runs the cluster's meter until all ranks run, and takes it away again as a crash would; the cluster goes on. */
async function tendUntilRunning(parties: Parties, first: ClusterRecord) {
  const at = { attached: Number.NaN, filesSent: Number.NaN };
  const seen = Promise.withResolvers<number>();
  const journal = createMemoryJournal(first, ({ members }, event) => {
    if (event === 'files') at.filesSent = performance.now();
    if (Number.isNaN(at.attached) && members.every(({ state }) => state === 'attached'))
      at.attached = performance.now();
    if (members.every(({ state }) => state === 'running')) seen.resolve(performance.now());
  });
  const enough = new AbortController();
  const signal = AbortSignal.any([parties.signal, enough.signal]);
  const tending = tendCluster(contextOf({ ...parties, signal }, journal));
  const ended = tending.then(({ outcome }) => {
    const why = outcome === null ? 'for no reason' : `with ${outcome.code}: ${outcome.message}`;
    throw new LatentError('INTERNAL', `The cluster ended ${why} before every rank ran.`);
  });
  try {
    return { ...at, seen: await Promise.race([seen.promise, ended]), ...at, journal, record: journal.load(NAME) };
  } finally {
    enough.abort();
    await ended.catch(() => undefined);
  }
}

/** When the last agent began to meter its job, on our own clock: agents say it in milliseconds since the epoch. */
async function lastStart(
  transport: ClusterContext['transport'],
  record: ClusterRecord,
  signal: AbortSignal,
): Promise<number> {
  const links = clusterLinks(transport, record);
  const statuses = await Promise.all(links.map((link) => memberStatus(link, record.leaseId, signal)));
  return Math.max(...statuses.map(({ startedAtMs }) => startedAtMs)) - performance.timeOrigin;
}

async function closeCluster(parties: Parties, journal: ClusterJournal): Promise<void> {
  journal.update(NAME, (before) => ({ ...before, stopRequested: 'the benchmark has what it wants' }));
  const { phase } = await tendCluster(contextOf(parties, journal));
  if (phase !== 'ended')
    throw new LatentError('LEASE_NOT_SETTLED', `The lease was not closed; the cluster is ${phase}.`);
}

function contextOf({ chain, renter, transport, signal }: Parties, journal: ClusterJournal): ClusterContext {
  return {
    ...{ name: NAME, journal, chain, transport, renter, clock: systemClock, signal },
    readArchive: (path) => createReadStream(path),
    saveOutputs: async () => {
      throw new LatentError('INTERNAL', 'The job has no outputs.');
    },
  };
}

function newRecord(
  { job, archive }: SleepingJob,
  lease: {
    readonly terms: LeaseTerms;
    readonly asks: readonly SignedAsk[];
    readonly leaseId: ClusterRecord['leaseId'];
    readonly peerSeed: Hex;
    readonly meterSecret: Hex;
  },
): ClusterRecord {
  const createdAtMs = systemClock.nowMs();
  const taskId = jobTaskId({ startedAtMs: createdAtMs, cluster: NAME, number: 1 });
  return {
    ...lease,
    asks: [...lease.asks],
    ...{ name: NAME, network: 'bench', createdAtMs, phase: 'opening', downWhenDone: false },
    job: {
      ...{ name: NAME, setup: '', run: job.run, envs: { ...job.envs } },
      gpusPerMachine: 0,
      outputs: [],
      taskId,
      archive,
      network: lease.terms.members.length > 1 ? 'if-possible' : 'host',
    },
    members: lease.terms.members.map(() => ({
      ...{ state: 'unknown' as const, reason: null, job: { kind: 'none' as const }, address: '' },
      ...{ countedFromMs: 0, seenAtMs: createdAtMs, deliveredUnits: 0n, cpuSeconds: 0, memoryBytes: 0 },
    })),
    ...{ voucher: null, stopRequested: null, outputsFolder: null, outcome: null, transactions: [] },
  };
}

function nowSeconds(): number {
  return Math.floor(systemClock.nowMs() / 1_000);
}
