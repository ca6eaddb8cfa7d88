import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AgentOptionsInput } from '@latent/agent';
import type { BookOptionsInput } from '@latent/book';
import { loadOrCreateSecret } from '@latent/kit';
import { type Deployment, LatentError } from '@latent/protocol';
import { bytesToHex, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { type Lab, openLab } from '../../e2e/nat/lab.ts';
import type { LabProcess } from '../../e2e/nat/lab-process.ts';
import type { PlaceKind, PlaceSpec } from '../../e2e/nat/lab-spec.ts';
import { type ChainSetup, chainReadySchema, type RenterSetup, renterToldSchema } from './messages.ts';

const HUB = 'hub';
const RENTER = 'renter';
const CHAIN_PORT = 8_545;
const BOOK_PORT = 7_001;
const CHAIN_ID = 31_337;
/** Starting all at once would only have them wait for each other. */
const AT_ONCE = 4;

const require = createRequire(import.meta.url);
const programOf = (entry: string) => join(dirname(require.resolve(entry)), 'main.ts');
const fileOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const ANVIL = join(dirname(require.resolve('@foundry-rs/anvil/package.json')), 'bin.mjs');

export interface MarketOptions {
  readonly machines: number;
  readonly spares: number;
  /** Of every uplink, each way: twice that is between any two places. */
  readonly delayMs: number;
  readonly onProgress: (text: string) => void;
}

/** A chain, a book, operators at home, and where a renter lives. */
export interface Market extends AsyncDisposable {
  startRenter(): LabRenterProcess;
}

export interface LabRenterProcess {
  readonly process: LabProcess;
  /** The next thing it tells. @throws LatentError INTERNAL when that is a failure */
  next<Kind extends 'ready' | 'launched'>(kind: Kind): Promise<Extract<RenterToldOk, { readonly kind: Kind }>>;
}
type RenterToldOk = Exclude<ReturnType<typeof renterToldSchema.parse>, { readonly kind: 'failed' }>;

/** Everything is a process of its own, agents too; each of these is alone behind a router. */
export async function openMarket(options: MarketOptions): Promise<Market> {
  const { machines, spares, onProgress } = options;
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'latent-bench-launch-'));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  const names = Array.from({ length: machines + spares }, (_, index) => `agent${index + 1}`);
  onProgress(`building ${names.length + 1} homes`);
  const lab = opened.use(await openLab<string>(specOf(names, options.delayMs)));
  const hub = lab.addressOf(HUB, 4);

  onProgress('starting the chain');
  const keys = new Map<string, Hex>();
  for (const name of [RENTER, ...names]) keys.set(name, await makeKey(join(folder, name)));
  const deployment = await startChain(lab, hub, keys);
  const book = `http://${hub}:${BOOK_PORT}`;
  await startBook(lab, { deployment, book, dataDir: join(folder, HUB) });
  onProgress(`${names.length} agents join`);
  await startAgents(lab, names, { deployment, book, folder });
  const all = opened.move();
  return {
    startRenter: () => {
      const setup: RenterSetup = { deployment, book, machines, spares, secret: keyOf(keys, RENTER) };
      return talkTo(lab.run(RENTER, process.execPath, [fileOf('renter-process.ts'), JSON.stringify(setup)]));
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

function specOf(names: readonly string[], delayMs: number): Record<string, PlaceSpec> {
  const place = (kind: PlaceKind, seed: number): PlaceSpec => {
    return { kind, uplink: { seed, up: { delayMs }, down: { delayMs } } };
  };
  const homes = [RENTER, ...names].map((name, index) => [name, place('cone', index + 1)] as const);
  return { [HUB]: place('public', 0), ...Object.fromEntries(homes) };
}

async function makeKey(dataDir: string): Promise<Hex> {
  await mkdir(join(dataDir, 'keys'), { recursive: true, mode: 0o700 });
  return bytesToHex(await loadOrCreateSecret(join(dataDir, 'keys', 'operator.key'), 32, randomBytes));
}

function keyOf(keys: ReadonlyMap<string, Hex>, name: string): Hex {
  const key = keys.get(name);
  if (key === undefined) throw new LatentError('INTERNAL', `${name} has no key.`);
  return key;
}

async function startChain(lab: Lab<string>, hub: string, keys: ReadonlyMap<string, Hex>): Promise<Deployment> {
  const anvil = lab.run(HUB, process.execPath, [
    ...[ANVIL, '--host', '0.0.0.0', '--port', String(CHAIN_PORT), '--chain-id', String(CHAIN_ID)],
    ...['--accounts', '0', '--block-time', '1'],
  ]);
  await anvil.line(/^Listening on /);
  const setup: ChainSetup = {
    localUrl: `http://127.0.0.1:${CHAIN_PORT}`,
    publicUrl: `http://${hub}:${CHAIN_PORT}`,
    chainId: CHAIN_ID,
    accounts: [...keys.values()].map((key) => privateKeyToAccount(key).address),
  };
  const preparing = lab.run(HUB, process.execPath, [fileOf('chain-process.ts'), JSON.stringify(setup)]);
  const [line] = await preparing.line(/^\{.*\}$/);
  return chainReadySchema.parse(JSON.parse(line)).deployment;
}

interface Served {
  readonly deployment: Deployment;
  readonly book: string;
}

async function startBook(
  lab: Lab<string>,
  { deployment, book, dataDir }: Served & { readonly dataDir: string },
): Promise<void> {
  const options: BookOptionsInput = {
    ...{ deployment, dataDir, address: '0.0.0.0', port: BOOK_PORT, publicUrls: [book] },
    ...{ requestsPerMinute: 60_000, logLevel: 'warn' },
  };
  await mkdir(dataDir, { recursive: true });
  await startProgram(lab, HUB, { entry: '@latent/book', dataDir, options });
}

async function startAgents(
  lab: Lab<string>,
  names: readonly string[],
  { deployment, book, folder }: Served & { readonly folder: string },
): Promise<void> {
  const waiting = [...names];
  const start = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const dataDir = join(folder, name);
      const options: Omit<AgentOptionsInput, 'pricePerDeviceHour'> & { readonly pricePerDeviceHour: string } = {
        ...{ deployment, books: [book], dataDir, pricePerDeviceHour: '500000', region: 'eu-west', site: name },
        ...{ driver: 'mock', allowWithoutIsolation: true, cpuCores: 1, memoryMiB: 1_024, logLevel: 'warn' },
        // So that spares are soon free again.
        holdSeconds: 5,
      };
      await startProgram(lab, name, { entry: '@latent/agent', dataDir, options });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, start));
}

/** One that says by a line of JSON that it is ready, or why not. */
async function startProgram(
  lab: Lab<string>,
  place: string,
  { entry, dataDir, options }: { readonly entry: string; readonly dataDir: string; readonly options: object },
): Promise<void> {
  const config = join(dataDir, 'config.json');
  await writeFile(config, JSON.stringify(options));
  const [line] = await lab.run(place, process.execPath, [programOf(entry), '--config', config]).line(/^\{.*\}$/);
  if (!line.includes('"event":"ready"')) throw new LatentError('INTERNAL', `${entry} at ${place} says: ${line}`);
}

function talkTo(running: LabProcess): LabRenterProcess {
  return {
    process: running,
    next: async (kind) => {
      const [line] = await running.line(/^\{.*\}$/);
      const told = renterToldSchema.parse(JSON.parse(line));
      if (isOf(told, kind)) return told;
      throw new LatentError('INTERNAL', told.kind === 'failed' ? told.message : `The renter tells ${told.kind}.`);
    },
  };
}

function isOf<Told extends { readonly kind: string }, Kind extends string>(
  told: Told,
  kind: Kind,
): told is Extract<Told, { readonly kind: Kind }> {
  return told.kind === kind;
}
