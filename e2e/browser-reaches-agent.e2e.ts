import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { askIdSchema, checkHold, leaseIdSchema, type PeerKey, peerKeySchema, signedHoldSchema } from '@latent/protocol';
import {
  createKeyPair,
  createPeerTransport,
  handleStream,
  MAX_PAYLOAD_BYTES,
  serveMethods,
  type Transport,
} from '@latent/transport';
import { toHex } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { type BookInTheMiddle, openBookInTheMiddle } from './browser/book-in-the-middle.ts';
import { CHROMIUM } from './browser/chromium.ts';
import { echoMethod } from './browser/echo-method.ts';
import { type AgentPage, openAgentPage } from './browser/open-agent-page.ts';
import { type StartedBook, startBook } from './browser/start-book.ts';
import { awaitFree } from './network/await-free.ts';
import { awaitRunning } from './network/cluster.ts';
import { TICKS, writeJob } from './network/job-file.ts';
import { openNetwork, type TestNetwork } from './network/test-network.ts';
import { waitUntil } from './network/wait-until.ts';

const MINUTE_MS = 60_000;
const foundSchema = z.object({
  ask: askIdSchema,
  peer: z.object({ key: peerKeySchema, hints: z.array(z.string()) }),
});
const nobody = leaseIdSchema.parse(`0x${'77'.repeat(32)}`);

describe.skipIf(!existsSync(CHROMIUM))('a page in a browser reaches an agent through a book (needs chromium)', () => {
  let network: TestNetwork;
  let page: AgentPage;
  let middle: BookInTheMiddle;
  beforeAll(async () => {
    network = await openNetwork({ operators: 1 });
    middle = await openBookInTheMiddle();
    page = await openAgentPage({ books: [...network.devnet.books, middle.url] });
  });
  afterEach(() => network.tidy());
  afterAll(async () => {
    await page?.close();
    await middle?.close();
    await network?.close();
  });

  const agentAt = (book: string) => {
    const { chainId, escrow } = network.devnet.deployment;
    return { book, domain: { chainId, escrow }, agentKey: network.devnet.operators[0]!.agentKey };
  };
  const honest = () => agentAt(network.devnet.books[0] ?? '');
  const begin = (seed: `0x${string}` = toHex(randomBytes(32))) =>
    page.value({ do: 'begin', seed, resumeMs: MINUTE_MS }, peerKeySchema);

  test('reads the output of a job with its renter’s key, and goes on by the other book when one is killed', async () => {
    const job = writeJob(network.home, { name: 'talks', machines: 1, run: TICKS });
    const launched = await network.latent(['launch', job, '--detach']);
    expect(launched.code, launched.stderr).toBe(0);
    const { leaseId, peerSeed } = await awaitRunning(network.home, 'talks');
    await begin(peerSeed);
    const { peer } = await page.value({ do: 'find', agent: honest() }, foundSchema);
    const lease = { peer, leaseId };
    expect(await page.value({ do: 'read logs', ...lease, until: 'tick 9\n' }, z.int())).toBe(1);

    await network.faults.killBook(0, 'SIGKILL');
    const status = await page.value({ do: 'status', ...lease }, z.object({ state: z.string() }));
    expect(status.state).toBe('running');
    await network.faults.restartBook(0);
  });

  test('refuses an ask into which the book put another peer key', async () => {
    middle.behind = network.devnet.books[0] ?? '';
    const find = { do: 'find', agent: agentAt(middle.url) } as const;
    expect(await page.value(find, foundSchema)).toEqual(await page.value({ do: 'find', agent: honest() }, foundSchema));
    middle.forgedPeerKey = peerKeySchema.parse(`0x${'66'.repeat(32)}`);
    const forged = await page.ask(find);
    expect(forged).toMatchObject({ kind: 'error', code: 'ASK_RESOURCE_MISMATCH' });
  });

  test('finds its signed ask, and calls it: what the agent signs and what it refuses arrives', async () => {
    await awaitFree(network, 1);
    const { domain, agentKey } = honest();
    const hold = await page.value({ do: 'hold a device', agent: honest(), renter: agentKey }, signedHoldSchema);
    expect(hold).toMatchObject({ renter: agentKey, devices: 1 });
    await checkHold(domain, agentKey, hold);

    await begin();
    const { ask, peer } = await page.value({ do: 'find', agent: honest() }, foundSchema);
    expect(hold.ask).toBe(ask);
    const unknown = askIdSchema.parse(`0x${'77'.repeat(32)}`);
    const refused = await page.ask({ do: 'hold', peer, params: { ...hold, ask: unknown } });
    expect(refused).toMatchObject({ kind: 'error', code: 'HOLD_REFUSED' });
    expect(refused).toMatchObject({ message: expect.stringContaining(unknown) });
    const notMine = await page.ask({ do: 'status', peer, leaseId: nobody });
    expect(notMine).toMatchObject({ kind: 'error', code: 'LEASE_NOT_MINE' });
  });
});

describe.skipIf(!existsSync(CHROMIUM))('streams between a page and a peer (needs chromium)', () => {
  let middle: BookInTheMiddle;
  let book: StartedBook;
  let peer: EchoPeer;
  let other: EchoPeer;
  const open: (() => Promise<void>)[] = [];
  beforeAll(async () => {
    middle = await openBookInTheMiddle();
    book = await startBook({ publicUrls: [middle.url] });
    middle.behind = book.url;
    peer = await openEchoPeer(book.url);
    other = await openEchoPeer(book.url);
  });
  afterEach(async () => {
    await Promise.all(open.splice(0).map((close) => close()));
    middle.swappedPeer = undefined;
    middle.framesToAlter = 0;
    peer.onReceived = async () => undefined;
  });
  afterAll(async () => {
    await Promise.all([peer, other].map((one) => one?.transport.close()));
    await middle?.close();
    await book?.close();
  });

  /** @returns the page, and how it reaches the peer: through the book in the middle */
  async function openPage(resumeMs = MINUTE_MS) {
    const page = await openAgentPage({ books: [middle.url] });
    open.push(page.close);
    const key = await page.value({ do: 'begin', seed: toHex(randomBytes(32)), resumeMs }, peerKeySchema);
    return { page, key, to: { key: peer.key, hints: [`book+${middle.url}`] } };
  }

  /** Does something to the stream of which so many bytes have arrived at the peer, before any more is taken. */
  const amid = (bytes: number, interfere: () => void) => {
    let isDone = false;
    peer.onReceived = async (received) => {
      if (isDone || received < bytes) return;
      isDone = true;
      interfere();
    };
  };

  test('carry 5 MB there and back, byte by byte, in messages of every size', async () => {
    const { page, key, to } = await openPage();
    const relayedBefore = middle.relayedBytes;
    const sizes = [...EVERY_SIZE, ...bulk(5_000_000)];
    expect(await page.value({ do: 'echo', peer: to, sizes }, z.int())).toBe(sum(sizes));
    expect(sum(sizes)).toBeGreaterThanOrEqual(5_000_000);
    expect(peer.callers.at(-1)).toBe(key);
    expect(peer.ends.at(-1)).toBe('ended');
    expect(middle.relayedBytes - relayedBefore).toBeGreaterThan(sum(sizes));
  });

  test.each([
    ['its link is cut', () => middle.cutLinks()],
    ['its link goes dead without a word', () => middle.freezeLinks()],
    [
      'the book alters a bit',
      () => {
        middle.framesToAlter = 1;
      },
    ],
  ])('go on where they were, byte by byte, when in the middle %s', async (_what, interfere) => {
    const { page, to } = await openPage();
    const sizes = bulk(5_000_000);
    let isDone = false;
    amid(2_000_000, () => {
      isDone = true;
      interfere();
    });
    expect(await page.value({ do: 'echo', peer: to, sizes }, z.int())).toBe(sum(sizes));
    expect(isDone).toBe(true);
    expect(middle.framesToAlter).toBe(0);
    expect(peer.ends.at(-1)).toBe('ended');
  });

  test('break, and never give a wrong byte, when the book alters all from some point on', async () => {
    const { page, to } = await openPage(2_000);
    amid(2_000_000, () => {
      middle.framesToAlter = Number.POSITIVE_INFINITY;
    });
    const broken = await page.ask({ do: 'echo', peer: to, sizes: bulk(5_000_000) });
    expect(broken).toMatchObject({ kind: 'error', code: 'STREAM_CLOSED' });
    // Nor does anything begin.
    const refused = await page.ask({ do: 'echo', peer: { ...to, key: other.key }, sizes: [1] });
    expect(refused).toMatchObject({ kind: 'error', code: 'PEER_UNREACHABLE' });
  });

  test('are refused to another peer that the book puts in the place of the one wanted', async () => {
    const { page, to } = await openPage();
    middle.swappedPeer = other.key;
    const refused = await page.ask({ do: 'echo', peer: to, sizes: [1] });
    expect(refused).toMatchObject({ kind: 'error', code: 'PEER_WRONG_KEY' });
    expect(other.callers).toEqual([]);
  });

  test('end at the peer when the tab is closed, with a word and not by waiting', async () => {
    const { page, key, to } = await openPage();
    await page.value({ do: 'stay', peer: to }, z.null());
    expect(peer.callers.at(-1)).toBe(key);
    const endsBefore = peer.ends.length;
    await page.closeTab();
    const end = await waitUntil('the stream has ended', () => peer.ends.slice(endsBefore)[0]);
    expect(end).toContain('The peer ended the connection (CANCELLED)');
  });
});

const EVERY_SIZE = [0, 1, 15, 16, 17, 64, 65, 1_000, 65_535, 65_536, MAX_PAYLOAD_BYTES];

/** Messages of so many bytes together, each longer than what is sent in one piece. */
function bulk(bytes: number): number[] {
  return Array.from({ length: Math.ceil(bytes / 50_000) }, () => 50_000);
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}

/** A peer that sends back what it is sent. */
interface EchoPeer {
  readonly key: PeerKey;
  readonly transport: Transport;
  /** Who calls. */
  readonly callers: PeerKey[];
  /** Called with the bytes of a stream received so far, before these are sent back. */
  onReceived: (bytes: number) => Promise<void>;
  /** How the streams ended. */
  readonly ends: string[];
}

async function openEchoPeer(book: string): Promise<EchoPeer> {
  const keyPair = createKeyPair(randomBytes(32));
  const transport = createPeerTransport({ keyPair, books: [book] });
  const peer: EchoPeer = { key: keyPair.key, transport, callers: [], onReceived: async () => undefined, ends: [] };
  const echo = handleStream(
    echoMethod,
    async (_params, { remoteKey }) => {
      peer.callers.push(remoteKey);
      return {
        result: {},
        run: async (channel) => {
          let bytes = 0;
          try {
            for await (const message of channel.messages()) {
              if (message.kind !== 'bytes') continue;
              bytes += message.bytes.byteLength;
              await peer.onReceived(bytes);
              await channel.sendBytes(message.bytes);
            }
            peer.ends.push('ended');
          } catch (thrown) {
            peer.ends.push(String(thrown));
          }
        },
      };
    },
    { maxReceivedBytes: 64 * 1024 * 1024 },
  );
  const { onStream } = serveMethods({ handlers: [echo], onDefect: ({ error }) => peer.ends.push(String(error)) });
  await (await transport.listen(onStream, { address: '127.0.0.1', port: 0 })).settled;
  return peer;
}
