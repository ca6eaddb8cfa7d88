import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@latent/kit';
import { bookStatusSchema, LatentError, parseDollars, relayAnswerSchema, toLatentError } from '@latent/protocol';
import {
  billLease,
  createRelayDesk,
  type RelayDesk,
  type RelayJournal,
  type RelayLease,
  readLease,
  stopLease,
} from '@latent/sdk';
import { createKeyPair, createRelayTransport, type EncryptedStream, openNodeLinkSocket } from '@latent/transport';
import { type LocalAccount, zeroAddress } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { giveDollars } from './network/give-dollars.ts';
import { writeJob } from './network/job-file.ts';
import { type Money, openMoney } from './network/money.ts';
import { waitUntil } from './network/wait-until.ts';
import { startDaemon } from './network/watch-daemon.ts';

const MIB = 1024 * 1024;
const FREE_BYTES = MIB;
/** The largest frame: so much of what is free may be left over. */
const MAX_FRAME_BYTES = 128 * 1024 + 4;
const BOOK_PROGRAM = fileURLToPath(new URL('../packages/book/src/main.ts', import.meta.url));

interface RelayBook {
  readonly url: string;
  kill(): Promise<void>;
}

/** What one renter has counted and promised, as its processes would keep it. */
interface Purse extends RelayJournal {
  readonly told: string[];
  readonly onRelayed: (book: string, bytes: number) => void;
}

interface Renter {
  readonly purse: Purse;
  readonly desk: RelayDesk;
  /** Through books alone: this renter's UDP is off. */
  readonly transport: ReturnType<typeof createRelayTransport>;
}

function makePurse(budget: bigint): Purse {
  const leases = new Map<string, RelayLease>();
  const counts = new Map<string, number>();
  const told: string[] = [];
  return {
    ...{ told, budget: () => budget, priceCap: () => parseDollars('0.05'), leases: () => [...leases.values()] },
    takeNeeds: () => [],
    save: (lease) => void leases.set(lease.leaseId, lease),
    counted: (book) => counts.get(book) ?? 0,
    onRelayed: (book, bytes) => void counts.set(book, (counts.get(book) ?? 0) + bytes),
    tell: ({ text }) => void told.push(text),
  };
}

describe('a book that relays for payment', () => {
  let money: Money;
  const operatorSecret = generatePrivateKey();
  let operator: LocalAccount;
  let keeperUrl = '';
  const stops: (() => Promise<unknown>)[] = [];
  let port = 0;

  async function startBook(name: string): Promise<RelayBook> {
    const dataDir = join(money.network.home, name);
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const config = join(dataDir, 'book.json');
    const settings = {
      ...{ deployment: money.chain.deployment, dataDir, name, port, relayFreeBytesPerKey: FREE_BYTES },
      relay: { operator: operator.address, pricePerGib: '10000' },
      keepers: [keeperUrl],
    };
    writeFileSync(config, JSON.stringify(settings));
    const child = spawn(process.execPath, [BOOK_PROGRAM, '--config', config], { stdio: ['ignore', 'pipe', 'ignore'] });
    const url = await readyUrl(child);
    port = Number(new URL(url).port);
    const kill = async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    };
    stops.push(kill);
    return { url, kill };
  }

  /** @param resumeMs how long streams live without a path */
  function openRenter(budget: string, resumeMs = 90_000): Renter {
    const purse = makePurse(parseDollars(budget));
    const stopping = new AbortController();
    const desk = createRelayDesk({
      ...{ chain: money.chain, journal: purse, account: money.renter, clock: systemClock, randomBytes },
      order: { renter: money.renter.address, session: zeroAddress },
      signal: stopping.signal,
    });
    const transport = createRelayTransport({
      ...{ keyPair: createKeyPair(randomBytes(32)), openSocket: openNodeLinkSocket },
      times: { resumeMs },
      payer: { onWord: desk.onWord, onRelayed: purse.onRelayed },
    });
    desk.start(transport);
    stops.push(async () => {
      stopping.abort();
      await transport.close();
    });
    return { purse, desk, transport };
  }

  /** Sends back whatever comes, at a book. */
  async function openEcho(book: string) {
    const transport = createRelayTransport({
      ...{ keyPair: createKeyPair(randomBytes(32)), openSocket: openNodeLinkSocket, books: [book] },
      times: { resumeMs: 90_000 },
    });
    stops.push(() => transport.close());
    const echo = async (stream: EncryptedStream) => {
      for await (const message of stream.messages()) await stream.send(message);
      await stream.end();
    };
    const listener = await transport.listen((stream) => void echo(stream).catch(() => undefined), {
      ...{ address: '127.0.0.1', port: 0 },
    });
    await listener.settled;
    return { key: transport.key, hints: listener.hints };
  }

  /** Sends messages of 64 KiB and gets them back, right and in order. */
  async function stream(
    renter: Renter,
    peer: { readonly key: RelayKey; readonly hints: readonly string[] },
    { mib, onMessage = () => undefined }: { readonly mib: number; readonly onMessage?: (number: number) => void },
  ): Promise<void> {
    const signal = AbortSignal.timeout(90_000);
    const near = await renter.transport.connect(peer, { signal });
    const count = mib * 16;
    const sending = (async () => {
      for (let number = 0; number < count; number += 1) {
        const message = Buffer.alloc(64 * 1024, number % 251);
        message.writeUInt32BE(number);
        await near.send(message);
      }
      await near.end();
    })();
    sending.catch(() => undefined);
    let number = 0;
    for await (const message of near.messages()) {
      const bytes = Buffer.from(message);
      if (bytes.readUInt32BE(0) !== number || bytes[bytes.byteLength - 1] !== number % 251) {
        throw new Error(`message ${number} came back wrong`);
      }
      number += 1;
      onMessage(number);
    }
    await sending;
    expect(number).toBe(count);
  }

  const relayedBytes = async ({ url }: RelayBook) =>
    bookStatusSchema.parse(await (await fetch(new URL('/v1/status', url))).json()).relayedBytes;

  /** All that was relayed since, but for what is free, in whole units. Of what is free less than a frame may be left over. */
  async function expectExact(units: number, book: RelayBook, relayedBefore: number): Promise<void> {
    const paidBytes = (await relayedBytes(book)) - relayedBefore - FREE_BYTES;
    expect(units).toBeGreaterThanOrEqual(Math.floor(paidBytes / MIB));
    expect(units).toBeLessThanOrEqual(Math.floor((paidBytes + MAX_FRAME_BYTES) / MIB));
  }

  const theLease = ({ purse }: Renter) => {
    const [lease, ...others] = purse.leases();
    expect(others).toEqual([]);
    return lease ?? expect.unreachable(`no lease was opened: ${purse.told.join('; ')}`);
  };

  beforeAll(async () => {
    money = await openMoney();
    operator = privateKeyToAccount(operatorSecret);
    await money.giveEther(operator);
    await giveDollars(money.chain, money.renter, operator.address);
    const keeper = await startDaemon(money.network, 'keeper', 'keeper', {
      ...{ for: [operator.address], patienceSeconds: 0, minWorth: '1', gasTimes: 1, spreadSeconds: 0 },
    });
    keeperUrl = keeper.url;
    await money.giveEther({ address: keeper.account });
  });
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });
  afterAll(() => money.close());

  let isJoined = false;
  /** The same book for all tests: its relay is taken in once. */
  async function openBook(): Promise<RelayBook> {
    const book = await startBook('relay-book');
    const answer = async () => relayAnswerSchema.parse(await (await fetch(new URL('/v1/relay', book.url))).json());
    if (!isJoined) {
      const { join: joining } = await answer();
      expect(joining?.operator).toBe(operator.address);
      await joinByCommand(money, book.url);
      isJoined = true;
    }
    await waitUntil('the book offers to relay', async () => (await answer()).offer !== null);
    return book;
  }

  async function joinByCommand({ network }: Money, url: string): Promise<void> {
    const key = join(network.home, 'operator.key');
    writeFileSync(key, Buffer.from(operatorSecret.slice(2), 'hex'), { mode: 0o600 });
    expect(await network.json(['relay', 'join', url, '--key', key, '--yes'])).toMatchObject({
      staked: expect.any(String),
    });
  }

  test('goes on past what is free for a renter with a budget, and bills what it relayed', async () => {
    const book = await openBook();
    const peer = await openEcho(book.url);
    const renter = openRenter('0.50');
    await stream(renter, peer, { mib: 8 });
    await renter.transport.hangUp();
    await renter.desk.end();
    const lease = theLease(renter);
    expect(lease.phase).toBe('closed');
    const bill = await billLease(money.chain, lease.leaseId);
    expect(bill.closed).toBe(true);
    const units = Number(bill.members[0]?.deviceSeconds);
    await expectExact(units, book, 0);
    expect(units).toBeGreaterThanOrEqual(2 * 8 - 1);
    // $0.01 per GiB.
    expect(bill.charged).toBe((BigInt(units) * 10_000n) / 1_024n);
    expect(bill.refund).toBe(bill.deposit - bill.charged);
  });

  test('loses nothing, and bills nothing twice, when it is killed amid a stream', async () => {
    const before = await openBook();
    const peer = await openEcho(before.url);
    const renter = openRenter('0.50');
    let again: Promise<RelayBook> | undefined;
    await stream(renter, peer, {
      mib: 16,
      onMessage: (number) => {
        if (number === 100) again = before.kill().then(() => openBook());
      },
    });
    expect((await again)?.url).toBe(before.url);
    await renter.transport.hangUp();
    await renter.desk.end();
    const lease = theLease(renter);
    const bill = await billLease(money.chain, lease.leaseId);
    const units = Number(bill.members[0]?.deviceSeconds);
    const paidFor = (renter.purse.counted(before.url) - FREE_BYTES) / MIB;
    // What it had not written down, and what it took in and had not sent on, is not billed.
    expect(units).toBeLessThanOrEqual(Math.floor(paidFor + 1));
    expect(units).toBeGreaterThan(paidFor - 8 - 16);
    expect(bill.closed).toBe(true);
    expect(bill.charged).toBe((BigInt(units) * 10_000n) / 1_024n);
  });

  test('is paid by a keeper when the renter is gone', async () => {
    const book = await openBook();
    const peer = await openEcho(book.url);
    const renter = openRenter('0.50');
    const before = await relayedBytes(book);
    await stream(renter, peer, { mib: 4 });
    const lease = theLease(renter);
    await renter.transport.close();
    await stopLease(money.chain, money.renter, lease.terms);
    await waitUntil('the keeper has closed it', async () => {
      return (await readLease(money.chain, lease.leaseId)).state === 'closed';
    });
    const bill = await billLease(money.chain, lease.leaseId);
    const units = Number(bill.members[0]?.deviceSeconds);
    await expectExact(units, book, before);
    expect(bill.charged).toBe((BigInt(units) * 10_000n) / 1_024n);
  });

  test('is told of by launch before money moves, and by status', async () => {
    const { network } = money;
    const file = writeJob(network.home, { name: 'relayed', machines: 1, run: 'echo done' });
    const launched = await network.latent(['launch', '--detach', '--yes', '--relay-budget', '0.50', file]);
    expect(launched).toMatchObject({ code: 0 });
    expect(launched.stdout).toContain('costs at most $0.50');
    expect(launched.stdout).toMatch(/http:\S+: relays nothing beyond what is free\s+Lease: 1 machines/);
    expect(await network.json(['status', 'relayed'])).toMatchObject([{ relay: { budget: '500000', leases: [] } }]);
  });

  test('ends the stream as before without a budget, and says what more would cost', async () => {
    const book = await openBook();
    const peer = await openEcho(book.url);
    const renter = openRenter('0', 4_000);
    const failed = await stream(renter, peer, { mib: 4 }).then(
      () => expect.unreachable('it went on'),
      (thrown: unknown) => toLatentError(thrown),
    );
    expect(failed).toBeInstanceOf(LatentError);
    expect(failed.code).toBe('STREAM_CLOSED');
    expect(renter.purse.leases()).toEqual([]);
    expect(renter.purse.told.join()).toContain(
      '$0.01 per GiB, which was not allowed. Allow it with: latent launch --relay-budget',
    );
  });
});

type RelayKey = Parameters<ReturnType<typeof createRelayTransport>['connect']>[0]['key'];

async function readyUrl(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('the book prints nowhere');
  for await (const line of createInterface({ input: child.stdout })) {
    const said: { readonly event?: unknown; readonly url?: unknown } = JSON.parse(line);
    if (said.event === 'ready' && typeof said.url === 'string') return said.url;
    throw new Error(`the book did not start: ${line}`);
  }
  throw new Error('the book ended');
}
