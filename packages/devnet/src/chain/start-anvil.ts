import { join } from 'node:path';
import type { Clock, ProcessIdentity } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { BaseError } from 'viem';
import { startProcess } from '../processes/start-process.ts';
import { anvilBinary } from './anvil-binary.ts';
import { keepTimeMonotonic } from './chain-time.ts';
import { choosePort } from './choose-port.ts';
import { connectDevChain, type DevChain } from './connect-dev-chain.ts';

export interface StartAnvilOptions {
  /** Holds `chain.json`, the chain's state: kept when it stops, taken up when it starts. */
  readonly dataDir: string;
  readonly logDir: string;
  readonly chainId: number;
  /** Seconds between blocks, whole. */
  readonly blockTimeSeconds: number;
  /** Taken if it is free; any other port if not. */
  readonly preferredPort?: number;
  readonly onSpawned: (identity: ProcessIdentity, port: number) => void;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface StartedChain {
  readonly identity: ProcessIdentity;
  readonly port: number;
  readonly rpcUrl: string;
  readonly client: DevChain;
}

const READY_WITHIN_MS = 30_000;
/**
 * anvil rewrites its whole state each time (some 2 KB per block), so it is not done each second. What a SIGKILL can lose
 * is this much; a graceful stop loses nothing.
 */
const STATE_INTERVAL_SECONDS = 5;

/**
 * Starts a local chain on a free port of the loopback interface, with the state that is kept in `dataDir`, and no accounts
 * of its own: the keys that every anvil has are known to the whole world.
 * @throws LatentError DEVNET_FAILED with the last of its log when it does not answer JSON-RPC
 */
export async function startAnvil(options: StartAnvilOptions): Promise<StartedChain> {
  const { dataDir, logDir, chainId, clock, signal } = options;
  const port = await choosePort(options.preferredPort);
  const rpcUrl = `http://127.0.0.1:${port}`;
  const client = connectDevChain(rpcUrl, chainId);
  const { identity } = await startProcess(
    { name: 'chain', file: anvilBinary(), argv: anvilArguments(options, port), cwd: dataDir, logDir },
    {
      isReady: async () => (await servedChain(client)) === chainId || undefined,
      readyWithinMs: READY_WITHIN_MS,
      onSpawned: (spawned) => options.onSpawned(spawned, port),
      clock,
      signal,
    },
  );
  // It mines only from here on: no block may be mined before the time is set right. Interval mining, since anvil stalls
  // for ever when it is flooded while it mines per transaction.
  await keepTimeMonotonic(client, clock.nowMs());
  await client.setIntervalMining({ interval: options.blockTimeSeconds });
  return { identity, port, rpcUrl, client };
}

function anvilArguments({ dataDir, chainId }: StartAnvilOptions, port: number): readonly string[] {
  return [
    ...['--host', '127.0.0.1', '--port', String(port), '--chain-id', String(chainId)],
    ...['--accounts', '0', '--silent', '--no-mining'],
    ...['--state', join(dataDir, 'chain.json'), '--state-interval', String(STATE_INTERVAL_SECONDS)],
  ];
}

/** undefined while nobody answers. */
async function servedChain(client: DevChain): Promise<number | undefined> {
  try {
    return await client.getChainId();
  } catch (thrown) {
    if (thrown instanceof BaseError) return undefined;
    throw new LatentError('INTERNAL', 'The chain cannot be asked.', { cause: thrown });
  }
}
