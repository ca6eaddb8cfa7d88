import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { type Clock, isRunning, type ProcessIdentity, signalProcess, systemClock } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { startBook } from './books/start-book.ts';
import { advanceChainTime } from './chain/chain-time.ts';
import { connectDevChain } from './chain/connect-dev-chain.ts';
import { startChain } from './chain/start-chain.ts';
import { notRunning } from './devnet.ts';
import type { DevnetContext } from './devnet-context.ts';
import { withDevnetLock } from './devnet-lock.ts';
import { devnetPaths } from './devnet-paths.ts';
import { type DevnetState, type ProcessEntry, type ProcessKind, readDevnetState } from './devnet-state.ts';
import { planNetwork } from './network-plan.ts';
import { startOperator } from './operators/start-operator.ts';
import { stopProcesses } from './processes/stop-processes.ts';

/** What can be done to a network that is up, to see how the rest of it bears it. Indices are those of `Devnet`. */
export interface DevnetFaults {
  /**
   * Signals an operator's agent, and after SIGKILL and SIGTERM waits until it has ended. Its jobs go on. SIGSTOP makes an
   * agent that is there but does not answer; SIGCONT ends that.
   * @throws LatentError DEVNET_NOT_RUNNING when the agent does not run; TIMED_OUT when it does not end
   */
  killOperator(index: number, signal: FaultSignal): Promise<void>;
  /** Starts the agent of an operator again, with its folder, settings and keys. @throws LatentError DEVNET_RUNNING, DEVNET_FAILED */
  restartOperator(index: number): Promise<void>;
  /** As `killOperator`, for a book. */
  killBook(index: number, signal: FaultSignal): Promise<void>;
  /** Starts a book again, at the same URL. @throws LatentError DEVNET_RUNNING, DEVNET_FAILED */
  restartBook(index: number): Promise<void>;
  /** Ends the chain's process. Nothing that was mined is lost. */
  pauseChain(): Promise<void>;
  /** Starts the chain again, at the same URL. @throws LatentError DEVNET_RUNNING, DEVNET_FAILED */
  resumeChain(): Promise<void>;
  /** Moves the chain's clock forward by whole seconds and mines a block there; gives the block's timestamp in seconds. */
  advanceTime(seconds: number): Promise<bigint>;
}

export type FaultSignal = 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT';

export interface FaultOptions {
  readonly dataDir: string;
  readonly signal: AbortSignal;
  readonly clock?: Clock;
}

/** The chain writes its whole state before it ends. */
const CHAIN_GRACE_MS = 20_000;
const ENDS_WITHIN_MS = 30_000;
const POLL_MS = 20;

export function createFaults({ dataDir, signal, clock = systemClock }: FaultOptions): DevnetFaults {
  const folder = resolve(dataDir);
  const target = (kind: ProcessKind, index = 0) => findEntry(folder, kind, index);
  const kill = (kind: ProcessKind, index: number, fault: FaultSignal) =>
    killProcess(target(kind, index), fault, { clock, signal });
  /** Starts one process while nobody else starts or stops any. */
  const revive = (kind: ProcessKind, index: number, start: (context: DevnetContext, entry: ProcessEntry) => unknown) =>
    withDevnetLock(folder, clock, async () => {
      const { entry, state } = target(kind, index);
      if (entry.identity !== null && isRunning(entry.identity)) {
        throw new LatentError('DEVNET_RUNNING', `${entry.name} runs already.`);
      }
      await start(contextOf(folder, state, clock, signal), entry);
    });
  return {
    killOperator: (index, fault) => kill('operator', index, fault),
    restartOperator: (index) => revive('operator', index, (context, { name }) => startOperator(context, name)),
    killBook: (index, fault) => kill('book', index, fault),
    restartBook: (index) => revive('book', index, (context, { name }) => startBook(context, name)),
    pauseChain: async () => {
      const { identity } = runningTarget(target('chain'));
      await stopProcesses([identity], { graceMs: CHAIN_GRACE_MS, clock });
    },
    resumeChain: () => revive('chain', 0, (context, { url }) => startChain(context, { lastUrl: url, onlyThere: true })),
    advanceTime: async (seconds) => {
      const { entry, state } = runningTarget(target('chain'));
      if (entry.url === null) throw notRunning(folder);
      return advanceChainTime(connectDevChain(entry.url, state.settings.chainId), seconds);
    },
  };
}

interface Target {
  readonly dataDir: string;
  readonly state: DevnetState;
  readonly entry: ProcessEntry;
}

function findEntry(dataDir: string, kind: ProcessKind, index: number): Target {
  const state = readDevnetState(dataDir);
  if (state === undefined) throw notRunning(dataDir);
  const entry = state.processes.filter((one) => one.kind === kind)[index];
  if (entry !== undefined) return { dataDir, state, entry };
  throw new LatentError('CONFIG_INVALID', `The local network has no ${kind} of index ${index}.`, {
    hint: 'Indices count from 0.',
  });
}

function runningTarget(target: Target): Target & { readonly identity: ProcessIdentity } {
  const { identity, name } = target.entry;
  if (identity !== null && isRunning(identity)) return { ...target, identity };
  throw new LatentError('DEVNET_NOT_RUNNING', `${name} does not run.`, { details: { process: name } });
}

async function killProcess(
  target: Target,
  fault: FaultSignal,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<void> {
  const { identity, entry } = runningTarget(target);
  signalProcess(identity, fault);
  if (fault === 'SIGSTOP' || fault === 'SIGCONT') return;
  for (const deadline = clock.nowMs() + ENDS_WITHIN_MS; isRunning(identity); ) {
    if (clock.nowMs() >= deadline) {
      throw new LatentError('TIMED_OUT', `${entry.name} has not ended ${ENDS_WITHIN_MS / 1000} s after ${fault}.`);
    }
    await clock.sleep(POLL_MS, { signal });
  }
}

function contextOf(
  dataDir: string,
  { settings, isolation }: DevnetState,
  clock: Clock,
  signal: AbortSignal,
): DevnetContext {
  return {
    ...{ settings, isolation, clock, signal, randomBytes },
    paths: devnetPaths(dataDir),
    plan: planNetwork(settings.seed, settings.operators),
    onProgress: () => {},
  };
}
