import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Clock, openStore, silentLogger } from '@latent/kit';
import { type Address, type Hex, hexToBigInt, parseEther } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import type { Anvil } from '../anvil.fixture.ts';
import { openEndpoints } from '../endpoints/open-endpoints.ts';
import { openSender } from './open-sender.ts';
import type { Sender, SenderOptions, SendOptions } from './sender.ts';
import { senderMigrations } from './sender-schema.ts';

export const TARGET: Address = '0xc0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0';
export const MOST = parseEther('0.01');

const MAX_SLEEPS = 400;

/** Time passes only while somebody sleeps: at once, after the test has done what it wants done meanwhile. */
function createBusyClock(meanwhile: (sleeps: number) => Promise<unknown>): Clock {
  let nowMs = 1_800_000_000_000;
  let sleeps = 0;
  return {
    nowMs: () => nowMs,
    sleep: async (ms) => {
      nowMs += ms;
      sleeps += 1;
      // A test that waits for what never comes ends by its time limit, not by keeping the machine busy.
      if (sleeps > MAX_SLEEPS) await new Promise(() => {});
      await meanwhile(sleeps);
      await nextTurn();
    },
  };
}

/** An account with ether on an anvil, a contract to call, and senders over one store. */
export interface SendBench extends Disposable {
  readonly path: string;
  readonly account: ReturnType<typeof privateKeyToAccount>;
  readonly privateKey: Hex;
  /** How often the counter was counted up. */
  count(): Promise<bigint>;
  spent(): Promise<bigint>;
  /** A sender as a program opens it when it starts. */
  open(
    meanwhile?: (sleeps: number) => Promise<unknown>,
    options?: Partial<SenderOptions> & { readonly urls?: readonly string[] },
  ): Sender;
  wish(key: string, changed?: Partial<SendOptions>): SendOptions;
}

const ETHER = parseEther('1');

export async function openSendBench({ client, url }: Anvil, code: Hex): Promise<SendBench> {
  const folder = mkdtempSync(join(tmpdir(), 'latent-sender-'));
  const path = join(folder, 'outbox.sqlite');
  const store = openStore({ path, migrations: senderMigrations });
  const privateKey = generatePrivateKey();
  const account = privateKeyToAccount(privateKey);
  await client.setBalance({ address: account.address, value: ETHER });
  await client.setCode({ address: TARGET, bytecode: code });
  const count = async () => hexToBigInt((await client.getStorageAt({ address: TARGET, slot: '0x0' })) ?? '0x0');
  return {
    path,
    account,
    privateKey,
    count,
    spent: async () => ETHER - (await client.getBalance({ address: account.address })),
    open: (meanwhile = async () => {}, { urls = [url], ...options } = {}) => {
      const clock = createBusyClock(meanwhile);
      const endpoints = openEndpoints({ chainId: 31_337, urls, timeoutMs: 5_000 }, { clock, logger: silentLogger });
      return openSender({ endpoints, account, store, clock, logger: silentLogger, confirmations: 2n, ...options });
    },
    wish: (idempotencyKey, changed = {}) => ({
      idempotencyKey,
      mostWei: MOST,
      isDone: async () => (await count()) > 0n,
      signal: new AbortController().signal,
      ...changed,
    }),
    [Symbol.dispose]: () => {
      store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
