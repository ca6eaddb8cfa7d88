import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addressSchema, type WatchStatus, watchStatusSchema } from '@latent/protocol';
import { z } from 'zod';
import type { RunningCommand } from './run-latent.ts';
import type { TestNetwork } from './test-network.ts';
import { waitUntil } from './wait-until.ts';

const readySchema = z.object({ url: z.url(), account: addressSchema });

/** `latent keeper start` or `latent watchtower start`, as a process of its own. */
export interface WatchDaemon {
  readonly url: string;
  readonly account: `0x${string}`;
  readonly dataDir: string;
  readonly command: RunningCommand;
  status(): Promise<WatchStatus>;
  /** Answer to a paper. */
  hand(
    what: 'vouchers' | 'closes' | 'leavings',
    paper: unknown,
  ): Promise<{ readonly status: number; readonly text: string }>;
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** Starts one with these settings, in a folder below the network's home. Again with the same name: it goes on where it was. */
export async function startDaemon(
  network: TestNetwork,
  kind: 'keeper' | 'watchtower',
  name: string,
  settings: Readonly<Record<string, unknown>>,
): Promise<WatchDaemon> {
  const dataDir = join(network.home, name);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const config = join(dataDir, 'settings.json');
  const deployment = network.devnet.deployment;
  writeFileSync(config, toJson({ deployment, dataDir, pollMs: 200, confirmations: 1, ...settings }), { mode: 0o600 });
  const command = network.start([kind, 'start', '--config', config, '--json']);
  await command.says('"account"');
  const ready = readySchema.parse(JSON.parse(stdoutOf(command)));
  return {
    ...ready,
    ...{ dataDir, command },
    status: async () => watchStatusSchema.parse(await (await fetch(new URL('/v1/status', ready.url))).json()),
    hand: async (what, paper) => {
      const response = await fetch(new URL(`/v1/${what}`, ready.url), { method: 'POST', body: toJson(paper) });
      return { status: response.status, text: await response.text() };
    },
    kill: async (signal = 'SIGKILL') => {
      command.signal(signal);
      await command.ended;
    },
  };
}

/** Hands a paper in until it is taken: a daemon hears of a lease a moment after it was opened. */
export async function handIn(
  daemon: WatchDaemon,
  what: 'vouchers' | 'closes' | 'leavings',
  paper: unknown,
): Promise<void> {
  await waitUntil(`${what} are taken`, async () => {
    const { status, text } = await daemon.hand(what, paper);
    if (status === 200) return true;
    if (status !== 409) throw new Error(`refused with ${status}: ${text}`);
    return false;
  });
}

function toJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item));
}

/** The JSON value among what was printed, which people's lines surround. */
function stdoutOf(command: RunningCommand): string {
  const printed = command.printed();
  return printed.slice(printed.indexOf('{'), printed.lastIndexOf('}') + 1);
}
