import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { systemClock } from '@latent/kit';
import { hashOrder, LatentError, type LeaseId, type Requirements, toLatentError } from '@latent/protocol';
import {
  type ChainClient,
  type ClusterRecord,
  connectChain,
  draftLease,
  type FilledJob,
  fillEnvs,
  type HeldAsk,
  holdMembers,
  type OrderDefaults,
  openLease,
  openRenterTransport,
  orderForJob,
  type PlacedOrder,
  packJobFiles,
  parseJobFile,
  placeOrder,
  prepareOpening,
  readChainTime,
  withChain,
} from '@latent/sdk';
import { type Address, bytesToBigInt, bytesToHex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import type { ClusterStore } from '../home/cluster-store.ts';
import type { LatentHome } from '../home/latent-home.ts';
import { loadNetwork } from '../home/network.ts';
import { openRelayStore } from '../home/relay-store.ts';
import { findRelayOffers, type RelayPrice } from '../relay/find-relay-offers.ts';
import { type ChosenPayer, choosePayer, findPurses } from './choose-payer.ts';
import { newRecord } from './new-record.ts';
import { ensureMeter } from './spawn-meter.ts';

/** Enough to tell a renter's orders apart; each byte more costs 16 gas. */
const SALT_BYTES = 8;

export interface LaunchOptions extends OrderDefaults {
  readonly jobFile: string;
  /** Of the cluster; by default the job's. */
  readonly name: string | undefined;
  readonly network: string;
  /** Instead of the network's books. */
  readonly books: readonly string[];
  readonly envs: Readonly<Record<string, string>>;
  readonly downWhenDone: boolean;
  /** What relaying beyond what is free may cost, in base units, in all and per GiB; undefined: nothing. */
  readonly relay: { readonly budget: bigint; readonly priceCap: bigint } | undefined;
}

/** What the caller gets to see on the way, and may object to. */
export interface LaunchObserver {
  onOrdered(requirements: Requirements, order: PlacedOrder): void;
  onHoldRefused(agentKey: string, error: LatentError): void;
  /** Sessions are here, but the wallet has to pay; `why` is for people. */
  onSessionsPassedOver(why: string): void;
  /** What books ask for relaying; only where it may cost something. */
  onRelayPrices(prices: readonly RelayPrice[]): void;
  /** The last word before money moves. @throws LatentError CANCELLED to stop here */
  confirm(quote: LaunchQuote): Promise<void>;
  onOpened(record: ClusterRecord): void;
  onWaiting(message: string): void;
}

/** What a lease will cost at most, in base units. */
export interface LaunchQuote {
  readonly machines: number;
  readonly seconds: number;
  readonly deposit: bigint;
  /** Of all machines together. */
  readonly perHour: bigint;
  /** The session that pays; undefined where the wallet does. */
  readonly session: ChosenPayer['session'];
}

export interface LaunchDependencies {
  readonly home: LatentHome;
  readonly store: ClusterStore;
  readonly observer: LaunchObserver;
  readonly signal: AbortSignal;
}

/**
 * From a job file to an open lease that a meter process looks after: order, match, hold, open. What follows (files, start,
 * metering, the end) is the meter's, so that nothing hangs on this process.
 * @throws LatentError ORDER_NO_MATCH with the reasons and the smallest changes; and those of each step
 */
export async function launchJob(options: LaunchOptions, dependencies: LaunchDependencies): Promise<ClusterRecord> {
  const { home, store, observer, signal } = dependencies;
  const jobPath = resolve(options.jobFile);
  const job = fillEnvs(parseJobFile(await readJob(jobPath), options.jobFile), options.envs);
  const name = clusterName(options.name ?? job.name ?? 'cluster');
  store.refuseIfAlive(name);
  const network = await loadNetwork(home, options.network);
  const purses = await findPurses(home, options.network, network);
  const onWaiting = (error: Error) => observer.onWaiting(error.message);
  const chain = await withChain(() => connectChain(network.deployment), { signal, onWaiting });
  const requirements = orderForJob(job, options);
  const archive = await packTo(home, name, job, jobPath, signal);

  const books = options.books.length === 0 ? network.books : options.books;
  const peerSeed = randomBytes(32);
  const meterSecret = generatePrivateKey();
  const opening = prepareOpening(chain);
  const held = await orderAndHold({ chain, books, requirements, peerSeed, renter: purses.renter }, dependencies);
  const asks = held.map(({ signed }) => signed);
  // Both clocks: the contract goes by its blocks, and the newest of a chain that was down may be old.
  const chainSeconds = await withChain(() => readChainTime(chain), { signal, onWaiting });
  const lease = {
    domain: chain.domain,
    asks,
    devicesPerMachine: requirements.devicesPerMachine,
    renter: purses.renter,
    meterKey: privateKeyToAccount(meterSecret).address,
    seconds: requirements.seconds,
    nowSeconds: Math.max(chainSeconds, nowSeconds()),
    workload: workloadOf(job),
    salt: bytesToBigInt(randomBytes(SALT_BYTES)),
  };
  const draft = (session?: Address) => draftLease({ ...lease, session });
  const payer = await withChain(() => choosePayer(chain, purses, draft), { signal, onWaiting });
  const { terms } = payer;
  if (payer.passedOver !== undefined) observer.onSessionsPassedOver(payer.passedOver);
  if (options.relay !== undefined) {
    const { domain, nowSeconds: atSeconds } = lease;
    observer.onRelayPrices(await findRelayOffers(asks, { domain, nowSeconds: atSeconds, signal }));
  }
  await observer.confirm({
    machines: asks.length,
    seconds: requirements.seconds,
    deposit: terms.order.deposit,
    perHour: (terms.order.deposit * 3_600n) / BigInt(requirements.seconds),
    session: payer.session,
  });

  const record = newRecord({
    name,
    network: options.network,
    downWhenDone: options.downWhenDone,
    job,
    archive,
    terms,
    asks,
    peerSeed: bytesToHex(peerSeed),
    meterSecret,
    leaseId: hashOrder(chain.domain, terms),
  });
  // The last moment at which nothing has been sent, and nothing has to be ended.
  signal.throwIfAborted();
  if (options.relay !== undefined) allowRelay(home, record.leaseId, options.relay);
  store.create(record);
  const opened = await openOrGiveUp(dependencies, name, () =>
    withChain(async () => openLease(chain, { funding: payer.funding, terms, asks, prepared: await opening }), {
      signal,
      onWaiting,
    }),
  );
  const open = store.update(name, (before) => ({
    ...before,
    transactions:
      opened === undefined ? before.transactions : [...before.transactions, { kind: 'open', hash: opened.hash }],
  }));
  ensureMeter(home, store, name);
  observer.onOpened(open);
  return open;
}

function allowRelay(
  home: LatentHome,
  leaseId: LeaseId,
  { budget, priceCap }: NonNullable<LaunchOptions['relay']>,
): void {
  const relays = openRelayStore(home);
  relays.allow(leaseId, budget, priceCap);
  relays.close();
}

/** @throws LatentError ORDER_NO_MATCH, and those of `placeOrder` and `holdMembers` */
async function orderAndHold(
  from: {
    readonly chain: ChainClient;
    readonly books: readonly string[];
    readonly requirements: Requirements;
    readonly peerSeed: Uint8Array;
    readonly renter: Address;
  },
  { observer, signal }: LaunchDependencies,
): Promise<readonly HeldAsk[]> {
  const { chain, books, requirements, peerSeed, renter } = from;
  const { machines, devicesPerMachine } = requirements;
  const transport = openRenterTransport(peerSeed);
  try {
    const place = () => placeOrder(chain, { books, requirements, nowSeconds: nowSeconds(), transport, signal });
    const order = await withChain(place, { signal, onWaiting: ({ message }) => observer.onWaiting(message) });
    observer.onOrdered(requirements, order);
    if (order.chosen.length === 0) throw noMatch(requirements, order);
    return await holdMembers({
      domain: chain.domain,
      transport,
      order,
      machines,
      devicesPerMachine,
      renter,
      signal,
      onRefused: ({ ask }, error) => observer.onHoldRefused(ask.agentKey, error),
    });
  } finally {
    await transport.close();
  }
}

/**
 * Opens the lease. If the contract refuses it, the record ends here. If we cannot know (the chain fell silent, or Ctrl-C
 * came while the transaction was on its way), a meter finds out, and closes the lease should it be open.
 */
async function openOrGiveUp<T>({ home, store }: LaunchDependencies, name: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (thrown) {
    const error = toLatentError(thrown);
    if (error.code === 'CHAIN_REVERTED' || error.code === 'FUNDS_TOO_LOW') {
      store.update(name, (before) => ({
        ...before,
        phase: 'ended',
        outcome: { code: error.code, message: error.message },
      }));
    } else {
      store.update(name, (before) => ({ ...before, stopRequested: 'the launch was broken off' }));
      ensureMeter(home, store, name);
    }
    throw error;
  }
}

async function readJob(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new LatentError('JOB_FILE_INVALID', `${path} cannot be read.`, {
      hint: 'Give the path of a job file, e.g. examples/digits/task.yaml',
      cause,
    });
  });
}

function clusterName(name: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) return name;
  throw new LatentError('CONFIG_INVALID', `"${name.slice(0, 80)}" is not a name for a cluster.`, {
    hint: 'Use lower-case letters, digits and dashes. Give another one with --name.',
  });
}

/** Packs the files once, beside the record, so that a meter can send them again after a crash. */
async function packTo(
  home: LatentHome,
  name: string,
  job: FilledJob,
  jobPath: string,
  signal: AbortSignal,
): Promise<string> {
  if (job.workdir === null && job.fileMounts.length === 0) return '';
  const packed = await packJobFiles(job, { baseFolder: dirname(jobPath), homeFolder: homedir(), signal });
  const folder = home.clusterFolder(name);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const archive = join(folder, `files-${randomBytes(6).toString('hex')}.tar`);
  await pipeline(Readable.from(packed.stream({ signal })), createWriteStream(archive, { mode: 0o600 }), { signal });
  return archive;
}

function workloadOf(job: FilledJob) {
  const { name, machines, envs, setup, run } = job;
  return bytesToHex(createHash('sha256').update(JSON.stringify({ name, machines, envs, setup, run })).digest());
}

function noMatch(requirements: Requirements, order: PlacedOrder): LatentError {
  const fitting = order.refusals.filter(({ reason }) => reason === 'too-few').length;
  return new LatentError(
    'ORDER_NO_MATCH',
    `${fitting} of the ${requirements.machines} machines wanted match, of ${order.candidates.length} asks seen.`,
    {
      details: { relaxations: order.relaxations.map(({ text }) => text) },
      hint:
        order.relaxations[0] === undefined
          ? 'Try again when more machines are on offer.'
          : `It would match with ${order.relaxations.map(({ text }) => text).join('; or ')}.`,
    },
  );
}

function nowSeconds(): number {
  return Math.floor(systemClock.nowMs() / 1000);
}
