import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { arch, platform } from 'node:process';
import { createInterface } from 'node:readline';
import { createTestClient, defineChain, type Hex, http, publicActions, walletActions } from 'viem';
import { FakeRpcError } from './endpoints/fake-chain.fixture.ts';

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };
const CHAIN_ID = 31_337;

/** Path of the anvil that npm brought for this machine; undefined where it brought none. */
export const anvilPath = findAnvil();
export const noAnvil = 'npm brought no anvil for this machine';

function findAnvil(): string | undefined {
  try {
    const require = createRequire(import.meta.url);
    const name = `@foundry-rs/anvil-${platform}-${ARCHITECTURES[arch] ?? arch}`;
    return createRequire(require.resolve('@foundry-rs/anvil/package.json')).resolve(`${name}/bin/anvil`);
  } catch {
    return undefined;
  }
}

function connect(url: string) {
  const chain = defineChain({
    id: CHAIN_ID,
    name: 'anvil',
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [url] } },
  });
  return createTestClient({ mode: 'anvil', chain, cacheTime: 0, transport: http(url, { retryCount: 0 }) })
    .extend(publicActions)
    .extend(walletActions);
}

export interface Anvil extends AsyncDisposable {
  readonly url: string;
  readonly client: ReturnType<typeof connect>;
  /** Its answer to one request, for tests that stand between. */
  answer(method: string, params: readonly unknown[]): Promise<unknown>;
  /** Replaces the newest blocks by as many empty ones. */
  reorg(depth: number): Promise<void>;
}

/** A chain of its own that mines a block for each transaction, until it is told otherwise. */
export async function startAnvil(): Promise<Anvil> {
  if (anvilPath === undefined) throw new Error(noAnvil);
  const child = spawn(anvilPath, ['--host', '127.0.0.1', '--port', '0', '--accounts', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  // A test that never ends does not leave it behind.
  const end = () => void child.kill('SIGKILL');
  process.once('exit', end);
  const url = await listening(child);
  const client = connect(url);
  const answer = async (method: string, params: readonly unknown[]) => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    const { result, error } = Object(await response.json());
    if (error !== undefined) throw new FakeRpcError(error.code, error.message, error.data);
    return result;
  };
  return {
    url,
    client,
    answer,
    reorg: async (depth) => {
      await answer('anvil_reorg', [depth, []]);
    },
    [Symbol.asyncDispose]: async () => {
      process.off('exit', end);
      end();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

async function listening({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) throw new Error('anvil has no output');
  for await (const line of createInterface({ input: stdout })) {
    const [, place] = /Listening on (\S+)/.exec(line) ?? [];
    if (place === undefined) continue;
    stdout.resume();
    return `http://${place}`;
  }
  throw new Error('anvil ended before it listened');
}

/** Runtime code that adds one to its first slot and logs nothing in particular. */
export const COUNTER_CODE: Hex = '0x5f546001015f555f5fa000';
/** Runtime code that works once: it reverts when its first slot is set. */
export const ONCE_CODE: Hex = '0x5f54156009575f5ffd5b60015f5500';
/** Runtime code that does nothing, successfully. */
export const NOTHING_CODE: Hex = '0x00';
/** Runtime code that logs: topics one to three (two where the third is zero), then data. */
export const LOGGER_CODE: Hex = '0x606036038060605f3760403580601a57505f35602035915fa2005b90602035905f35905fa300';
