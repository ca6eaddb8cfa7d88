import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { type Clock, systemClock } from '@latent/kit';
import { type AskId, LatentError } from '@latent/protocol';
import { awaitAsks } from './books/await-asks.ts';
import { prepareBook } from './books/prepare-book.ts';
import { startBook } from './books/start-book.ts';
import { prepareContracts } from './chain/prepare-contracts.ts';
import { CHAIN, startChain } from './chain/start-chain.ts';
import { type Devnet, processesOf, readDevnet } from './devnet.ts';
import type { DevnetContext, DevnetProgress } from './devnet-context.ts';
import { withDevnetLock } from './devnet-lock.ts';
import { devnetPaths } from './devnet-paths.ts';
import { type ProcessEntry, readDevnetState, writeDevnetState } from './devnet-state.ts';
import { endProcesses } from './end-processes.ts';
import { fundNetwork } from './fund-network.ts';
import type { RandomBytes } from './keys/load-account.ts';
import { makeSettings, type WishedSettings } from './make-settings.ts';
import { planNetwork } from './network-plan.ts';
import { writeAgentConfig } from './operators/prepare-operator.ts';
import { probeSandbox } from './operators/probe-sandbox.ts';
import { startOperator } from './operators/start-operator.ts';
import { runTogether } from './run-together.ts';

export interface StartDevnetOptions {
  /** Made if it is not there. A network that was stopped in it goes on: chain, keys, stakes, asks. */
  readonly dataDir: string;
  /** Those left out are those the network was made with, or the defaults. */
  readonly settings?: WishedSettings;
  /** Ends a start that is under way; all that it started is ended then. A network that is up does not depend on it. */
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: DevnetProgress) => void;
  readonly clock?: Clock;
  /** A secure source, for keys. */
  readonly randomBytes?: RandomBytes;
  /** Whether jobs can be put into a sandbox on this machine. */
  readonly canSandbox?: (signal: AbortSignal) => Promise<boolean>;
}

/**
 * Starts a local network: a chain with the contracts, two books, operators with their agents, a renter's key with money.
 * Every part is a process of its own and outlives the caller: `stopDevnet` ends them, also after the caller was killed
 * half-way. It is up when each book lists every ask. If the start fails nothing is left running; what is on disk stays.
 * @throws LatentError DEVNET_RUNNING when there is one in this folder, CONFIG_INVALID, DEVNET_FAILED
 */
export async function startDevnet(options: StartDevnetOptions): Promise<Devnet> {
  const dataDir = resolve(options.dataDir);
  const { clock = systemClock } = options;
  return withDevnetLock(dataDir, clock, async () => {
    const before = readDevnetState(dataDir);
    refuseIfRunning(dataDir, before);
    const settings = makeSettings(options.settings ?? {}, before?.settings);
    const paths = devnetPaths(dataDir);
    const plan = planNetwork(settings.seed, settings.operators);
    const { signal, onProgress = () => {}, canSandbox = probeSandbox } = options;
    const isolation = (await canSandbox(signal)) ? 'namespaces' : 'none';
    const context: DevnetContext = {
      ...{ paths, settings, plan, isolation, clock, signal, onProgress },
      randomBytes: options.randomBytes ?? randomBytes,
    };
    if (isolation === 'none') {
      onProgress({ step: 'sandbox', text: 'no working bubblewrap here: jobs run without isolation, as your own user' });
    }
    const known = entriesOf(context, before?.processes ?? []);
    try {
      // Whatever a start that was killed left behind without having written it down.
      await endProcesses(paths, [], clock);
      writeDevnetState(dataDir, { version: 1, settings, isolation, processes: known });
      await startAll(context, new Map(known.map(({ name, url }) => [name, url])));
    } catch (thrown) {
      await endProcesses(paths, readDevnetState(dataDir)?.processes ?? [], clock);
      throw thrown;
    }
    return readDevnet(dataDir);
  });
}

function refuseIfRunning(dataDir: string, before: ReturnType<typeof readDevnetState>): void {
  const alive = before === undefined ? [] : processesOf(dataDir, before).filter((one) => one.alive);
  if (before === undefined || alive.length === 0) return;
  const what = `A local network is up in ${dataDir}`;
  const all = alive.length === before.processes.length;
  throw new LatentError(
    'DEVNET_RUNNING',
    all ? `${what}.` : `${what}, if not all of it: ${alive.length} of ${before.processes.length} processes.`,
    {
      hint: 'Use it, or stop it with `latent devnet down`.',
      details: { dataDir, alive: alive.map(({ name }) => name) },
    },
  );
}

/** One entry per process, not started yet, with what is still true of its last life. */
function entriesOf({ plan }: DevnetContext, before: readonly ProcessEntry[]): ProcessEntry[] {
  const entry = (kind: ProcessEntry['kind'], name: string): ProcessEntry => {
    const url = before.find((one) => one.name === name)?.url ?? null;
    return { name, kind, identity: null, url, agent: null };
  };
  return [
    entry('chain', CHAIN),
    ...plan.books.map((name) => entry('book', name)),
    ...plan.operators.map(({ name }) => entry('operator', name)),
  ];
}

async function startAll(context: DevnetContext, lastUrls: ReadonlyMap<string, string | null>): Promise<void> {
  const { plan, settings, clock, signal, onProgress } = context;
  const lastUrl = (name: string) => lastUrls.get(name) ?? null;
  const chain = await startChain(context, { lastUrl: lastUrl(CHAIN) });
  onProgress({ step: 'chain', text: `chain ${settings.chainId} at ${chain.rpcUrl}` });
  const contracts = await prepareContracts(context, chain);
  const { deployment } = contracts;
  onProgress({ step: 'contracts', text: `LeaseEscrow at ${deployment.escrow}, test dollar at ${deployment.token}` });
  const books = await Promise.all(
    plan.books.map((name) => prepareBook(context, { name, deployment, lastUrl: lastUrl(name) })),
  );
  const funded = fundNetwork(context, chain, contracts);
  const asks: AskId[] = [];
  // All at once: while agents wait for blocks, books start. Agents knock at books until they are let in.
  await runTogether(signal, [
    ...plan.books.map((name) => async (either: AbortSignal) => {
      const url = await startBook({ ...context, signal: either }, name);
      onProgress({ step: 'books', text: `${name} at ${url}` });
    }),
    ...plan.operators.map((operator) => async (either: AbortSignal) => {
      await funded;
      writeAgentConfig(context, operator, { deployment, books });
      const { agentKey, ask } = await startOperator({ ...context, signal: either }, operator.name);
      asks.push(ask);
      onProgress({ step: 'operators', text: `${operator.name} in ${operator.region} has joined as ${agentKey}` });
    }),
  ]);
  await runTogether(
    signal,
    books.map((book) => (either) => awaitAsks(book, asks, { clock, signal: either })),
  );
}
