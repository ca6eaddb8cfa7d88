import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createManualClock, type Logger, type ManualClock, silentLogger } from '@latent/kit';
import {
  type AgentMessage,
  type Ask,
  addressSchema,
  type BookMessage,
  bookMessageSchema,
  type Deployment,
  deploymentSchema,
  type EscrowDomain,
  LatentError,
  peerKeySchema,
  type Resource,
  rateFromHourlyDown,
  type SignedAsk,
  signAsk,
  signPresence,
} from '@latent/protocol';
import { type Address, type Hex, keccak256, type LocalAccount, toHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { WebSocket } from 'ws';
import type { OperatorRegistry, RegisteredAgent } from './intake/operator-registry.ts';
import { type BookOptionsInput, bookOptionsSchema } from './options.ts';
import type { LeaseReader } from './relay/chain-leases.ts';
import { type RunningBook, startBook } from './start-book.ts';
import { toJson } from './to-json.ts';

export const NOW = 1_800_000_000;

const address = (name: string) => addressSchema.parse(keccak256(toHex(name)).slice(0, 42));

export const deployment: Deployment = deploymentSchema.parse({
  chainId: 31_337,
  rpcUrl: 'http://127.0.0.1:9',
  token: address('token'),
  escrow: address('escrow'),
  operators: address('operators'),
  deployedAtBlock: '0',
});
export const domain: EscrowDomain = { chainId: deployment.chainId, escrow: deployment.escrow };

/** Stands for the chain. `isDown` makes it silent. */
export interface MemoryRegistry extends OperatorRegistry {
  readonly agents: Map<Address, RegisteredAgent>;
  isDown: boolean;
}

export function createMemoryRegistry(): MemoryRegistry {
  const agents = new Map<Address, RegisteredAgent>();
  const registry: MemoryRegistry = {
    agents,
    isDown: false,
    agentOf: async (agentKey) => {
      if (registry.isDown) throw new LatentError('CHAIN_UNREACHABLE', 'The chain does not answer.');
      return agents.get(agentKey);
    },
  };
  return registry;
}

export interface TestAgent {
  readonly account: LocalAccount;
  readonly operator: Address;
  readonly ask: (changes?: Partial<Ask>, resource?: Partial<Resource>, signedFor?: EscrowDomain) => Promise<SignedAsk>;
}

/** An agent with a key of its own; registered with `registry` if one is given. */
export function createAgent(name: string, registry?: MemoryRegistry): TestAgent {
  const account = privateKeyToAccount(keccak256(toHex(`key of ${name}`)));
  const operator = address(`operator of ${name}`);
  registry?.agents.set(account.address, { operator, epoch: 0 });
  return {
    account,
    operator,
    ask: (changes = {}, resource = {}, signedFor = domain) =>
      signAsk(
        account,
        signedFor,
        {
          operator,
          agentKey: account.address,
          devices: 1,
          rate: rateFromHourlyDown(500_000n),
          maxSeconds: 86_400,
          closeWindow: 900,
          prepay: 10,
          maxFeeBps: 50,
          validUntil: NOW + 3_600,
          epoch: 0,
          salt: 1n,
          ...changes,
        },
        {
          kind: 'cpu',
          model: 'Test CPU',
          deviceMemoryMiB: 4_096,
          cpuCores: 4,
          memoryMiB: 4_096,
          region: 'eu-west',
          site: 'home',
          isolation: 'namespaces',
          peerKey: peerKeySchema.parse(keccak256(toHex(name))),
          hints: ['tcp://127.0.0.1:1'],
          ...resource,
        },
      ),
  };
}

export interface BookBench {
  readonly book: RunningBook;
  readonly registry: MemoryRegistry;
  readonly clock: ManualClock;
  readonly post: (path: string, body: unknown) => Promise<Answer>;
  readonly get: (path: string) => Promise<Answer>;
  /** Opens a connection; `until` resolves with the next message of that kind. */
  readonly connect: () => Promise<AgentLink>;
  /** A connection whose hello was accepted, with the ask sent and taken if one is given. */
  readonly present: (agent: TestAgent, signed?: SignedAsk) => Promise<AgentLink>;
}

export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly body: unknown;
}

export interface AgentLink {
  readonly socket: WebSocket;
  readonly challenge: Hex;
  readonly send: (message: AgentMessage) => void;
  readonly next: () => Promise<BookMessage>;
  readonly closed: Promise<number>;
}

export interface BenchOptions extends Partial<BookOptionsInput> {
  readonly registry?: MemoryRegistry;
  readonly clock?: ManualClock;
  readonly logger?: Logger;
  readonly chain?: LeaseReader;
}

/** A book on a free port, with its own folder unless one is given, closed by `await using`. */
export async function openBench(given: BenchOptions = {}): Promise<BookBench & AsyncDisposable> {
  const {
    registry = createMemoryRegistry(),
    clock = createManualClock(NOW * 1_000),
    logger = silentLogger,
    chain,
    ...options
  } = given;
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'book-')));
  const signal = new AbortController().signal;
  const book = await startBook(
    bookOptionsSchema.parse({ deployment, requestsPerMinute: 1_000_000, ...options, dataDir }),
    {
      clock,
      logger,
      randomBytes,
      signal,
      registry,
      ...(chain === undefined ? {} : { chain }),
    },
  );
  const request = async (path: string, init?: RequestInit): Promise<Answer> => {
    const response = await fetch(new URL(path, book.url), init);
    const text = await response.text();
    return { status: response.status, text, body: JSON.parse(text) };
  };
  const post = (path: string, body: unknown) =>
    request(path, { method: 'POST', body: typeof body === 'string' ? body : toJson(body) });
  const connect = () => connectAgent(book.url);
  return {
    book,
    registry,
    clock,
    post,
    get: (path) => request(path),
    connect,
    present: async (agent, signed) => {
      const link = await connect();
      await sayHello(link, agent);
      if (signed !== undefined) {
        link.send({ kind: 'ask', signed });
        const answer = await link.next();
        if (answer.kind !== 'ask-accepted') throw new Error(`the ask was not taken: ${JSON.stringify(answer)}`);
      }
      return link;
    },
    [Symbol.asyncDispose]: async () => {
      await book.close();
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function sayHello(link: AgentLink, { account }: TestAgent): Promise<void> {
  const signature = await signPresence(account, domain, link.socket.url.replace('ws', 'http'), link.challenge);
  link.send({ kind: 'hello', agentKey: account.address, signature });
  const answer = await link.next();
  if (answer.kind !== 'present') throw new Error(`the hello was not taken: ${JSON.stringify(answer)}`);
}

async function connectAgent(bookUrl: string): Promise<AgentLink> {
  const socket = new WebSocket(new URL('/v1/presence', bookUrl.replace('http', 'ws')));
  const arrived: BookMessage[] = [];
  const waiting: ((message: BookMessage) => void)[] = [];
  const closed = new Promise<number>((resolve) => socket.on('close', resolve));
  socket.on('message', (data) => {
    const message = bookMessageSchema.parse(JSON.parse(String(data)));
    const waiter = waiting.shift();
    if (waiter === undefined) arrived.push(message);
    else waiter(message);
  });
  const next = () =>
    new Promise<BookMessage>((resolve) => {
      const message = arrived.shift();
      if (message === undefined) waiting.push(resolve);
      else resolve(message);
    });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  socket.on('error', () => undefined);
  const first = await next();
  if (first.kind !== 'challenge') throw new Error(`expected a challenge, got ${first.kind}`);
  return { socket, challenge: first.challenge, send: (message) => socket.send(toJson(message)), next, closed };
}

/** Base units of an order that fits the asks of `createAgent`. */
export const requirements = {
  machines: 1,
  maxPricePerDeviceHour: '600000',
  seconds: 3_600,
};
