import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFaults, type Devnet, type DevnetFaults, readDevnet, stopDevnet } from '@latent/devnet';
import { LatentError } from '@latent/protocol';
import { isOver } from '@latent/sdk';
import { listClusters } from './cluster.ts';
import { killAll, processesOf } from './own-processes.ts';
import { type CommandOptions, type Ended, type RunningCommand, startLatent } from './run-latent.ts';
import { waitUntil } from './wait-until.ts';

/** A renter's home with a whole local network in it, in a temporary folder. */
export interface TestNetwork {
  /** `LATENT_HOME` of every command. */
  readonly home: string;
  readonly devnet: Devnet;
  readonly faults: DevnetFaults;
  /** Runs a command to its end. */
  latent(argv: readonly string[], input?: string): Promise<Ended>;
  /** Runs a command with `--json` to its end, which has to be 0, and gives what it printed. */
  json(argv: readonly string[], input?: string): Promise<unknown>;
  start(argv: readonly string[]): RunningCommand;
  /** Ends what a test has left: commands that run, and clusters that are open. The next one finds the machines free. */
  tidy(): Promise<void>;
  /** Ends every process of the network and of the renter, whatever state they are in, and removes the folder. */
  close(): Promise<void>;
}

/** A home in which no network is up yet. */
export function makeHome(): string {
  return mkdtempSync(join(tmpdir(), 'latent-e2e-'));
}

/** Starts a network with `latent devnet up`. All is ended again if that fails. */
export async function openNetwork(options: {
  readonly operators: number;
  readonly seed?: string;
}): Promise<TestNetwork> {
  const home = makeHome();
  const dataDir = join(home, 'devnet');
  const running: RunningCommand[] = [];
  const start = (argv: readonly string[], input: Pick<CommandOptions, 'input'> = {}) => {
    const command = startLatent(argv, { home, ...input });
    running.push(command);
    return command;
  };
  const latent = (argv: readonly string[], input = '') => start(argv, { input }).ended;
  const json = async (argv: readonly string[], input = '') => {
    const ended = await latent([...argv, '--json'], input);
    if (ended.code !== 0) throw new Error(`latent ${argv.join(' ')} ended with ${ended.code}:\n${ended.stderr}`);
    return parseJson(ended.stdout);
  };
  const close = () => closeHome(home);
  const tidy = async () => {
    for (const command of running.splice(0)) command.signal('SIGKILL');
    for (const { record } of listClusters(home)) if (!isOver(record)) await latent(['down', record.name]);
  };
  try {
    await json(['devnet', 'up', '--operators', String(options.operators), '--seed', options.seed ?? 'latent']);
    const faults = createFaults({ dataDir, signal: new AbortController().signal });
    return { home, devnet: readDevnet(dataDir), faults, latent, json, start, tidy, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

/** Ends whatever runs in a home, and removes it. */
export async function closeHome(home: string): Promise<void> {
  await stopDevnet({ dataDir: join(home, 'devnet') }).catch((thrown: unknown) => {
    if (!(thrown instanceof LatentError && thrown.code === 'DEVNET_NOT_RUNNING')) throw thrown;
  });
  await waitUntil('every process of the home has ended', () => {
    const left = processesOf(home);
    killAll(left);
    return left.length === 0;
  });
  rmSync(home, { recursive: true, force: true });
}

function parseJson(text: string): unknown {
  return JSON.parse(text);
}
