import { RELAY_HEADER_BYTES } from '@latent/protocol';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../hostile/dice.ts';
import {
  type EchoOutcome,
  exchange,
  exchangeWith,
  hastyTimes,
  openEchoPeer,
  openPeer,
  openRelayPeer,
} from '../peer/echoes.fixture.ts';
import { afterTest, untilTestEnds } from '../udp/raw-socket.fixture.ts';
import { openSmallBook, type SmallBook, type Tamper } from './small-book.fixture.ts';

const FAR = 2;

interface Draws {
  /** From 0 up to 1. */
  readonly random: () => number;
  /** From 0 up to a number. */
  readonly below: (end: number) => number;
  /** Frames that were kept back, and come behind the next one. */
  readonly held: Buffer[];
  /** Those that come before it. */
  readonly late: Buffer[];
}

/** What a relay can do to one frame. Its first bytes are the channel, which the book writes anew. */
const manipulations: Readonly<Record<string, (frame: Buffer, draws: Draws) => readonly Buffer[]>> = {
  drops: () => [],
  doubles: (frame) => [frame, Buffer.from(frame)],
  truncates: (frame, { below }) => [
    frame.subarray(0, RELAY_HEADER_BYTES + below(frame.byteLength - RELAY_HEADER_BYTES)),
  ],
  'flips a bit of': (frame, { below }) => {
    const at = RELAY_HEADER_BYTES + below(frame.byteLength - RELAY_HEADER_BYTES);
    frame[at] = (frame[at] ?? 0) ^ (1 << below(8));
    return [frame];
  },
  'lengthens the announced length of': (frame) => {
    frame.set([0xff, 0xff, 0x00], RELAY_HEADER_BYTES);
    return [frame];
  },
  'puts bytes before': (frame, { below }) => {
    const junk = Buffer.alloc(RELAY_HEADER_BYTES + 1 + below(300), below(256));
    return [junk, frame];
  },
  delays: (frame, { late }) => {
    late.push(frame);
    return [];
  },
  'changes the order of': (frame, { held }) => {
    held.push(frame);
    return [];
  },
  'cuts in two, and lets another frame between,': (frame, { below }) => {
    const cut = RELAY_HEADER_BYTES + below(frame.byteLength - RELAY_HEADER_BYTES);
    const rest = Buffer.concat([frame.subarray(0, RELAY_HEADER_BYTES), frame.subarray(cut)]);
    return [Buffer.from(frame.subarray(0, cut)), Buffer.from(frame), rest];
  },
};

/** Does it to one frame in `every`, at most so often. */
function tamperWith(name: string, seed: number, every: number, times: number): { tamper: Tamper; done: () => number } {
  const manipulate = manipulations[name] ?? expect.unreachable(`no manipulation ${name}`);
  const random = seededRandom(seed);
  const draws: Draws = { random, below: (end) => Math.floor(random() * end), held: [], late: [] };
  let done = 0;
  const tamper: Tamper = (frame) => {
    const late = draws.late.splice(0);
    const before = draws.held.splice(0);
    // Those with nothing in them cannot be told from their absence.
    if (done >= times || frame.byteLength <= RELAY_HEADER_BYTES || random() >= 1 / every)
      return [...late, frame, ...before];
    done += 1;
    return [...late, ...manipulate(frame, draws), ...before];
  };
  return { tamper, done: () => done };
}

/** Two peers who meet at a book of their own, as many pairs at once as there are manipulations. */
async function withAll(byManipulation: (name: string, pair: Pair) => Promise<EchoOutcome>): Promise<Outcomes> {
  const run = async (name: string): Promise<readonly [string, EchoOutcome]> => {
    const book = await openSmallBook();
    afterTest(async () => await book[Symbol.asyncDispose]());
    return [name, await byManipulation(name, { book, hints: [`book+${book.url}`] })];
  };
  return Object.fromEntries(await Promise.all(Object.keys(manipulations).map(run)));
}

interface Pair {
  readonly book: SmallBook;
  readonly hints: readonly string[];
}

type Outcomes = Readonly<Record<string, EchoOutcome>>;
const eachEndsWith = (outcome: EchoOutcome): Outcomes =>
  Object.fromEntries(Object.keys(manipulations).map((name) => [name, outcome]));

describe('a relay that drops, delays, doubles, cuts, alters, invents and mixes up frames', () => {
  test('now and then cannot change a byte: streams go on by another channel', async () => {
    const outcomes = await withAll(async (name, { book, hints }) => {
      const far = await openEchoPeer(FAR, { books: [book.url] });
      const near = openRelayPeer(1);
      const stream = await near.connect({ key: far.transport.key, hints }, { signal: untilTestEnds() });
      const { tamper, done } = tamperWith(name, 7, 6, 3);
      book.tamper = tamper;
      const outcome = await exchange(stream, { byte: FAR, seed: 3 });
      expect(done(), name).toBeGreaterThan(0);
      expect(far.streams, name).toHaveLength(1);
      return outcome;
    });
    expect(outcomes).toEqual(eachEndsWith('all'));
  });

  test.each([1, 2])(
    'all the time ends streams with STREAM_CLOSED, and lets no wrong byte through (%i)',
    async (seed) => {
      const times = { ...hastyTimes, resumeMs: 800 };
      await withAll(async (name, { book, hints }) => {
        // What merely comes late may all come in the end.
        const ends: readonly EchoOutcome[] = name === 'delays' ? ['all', 'STREAM_CLOSED'] : ['STREAM_CLOSED'];
        const far = await openEchoPeer(FAR, { books: [book.url], times });
        const near = openRelayPeer(1, { times, handshakeTimeoutMs: 600 });
        const stream = await near.connect({ key: far.transport.key, hints }, { signal: untilTestEnds() });
        book.tamper = tamperWith(name, seed, 1, Number.POSITIVE_INFINITY).tamper;
        const outcome = await exchange(stream, { byte: FAR, seed, messages: 4 });
        const next = await exchangeWith(near, far, hints, { byte: FAR, seed });
        expect(ends, name).toContain(outcome);
        expect([...ends, 'PEER_UNREACHABLE'], name).toContain(next);
        return outcome;
      });
    },
  );
});

test('a relay that spoils everything is of no matter while there is a direct way', async () => {
  const book = await openSmallBook();
  afterTest(async () => await book[Symbol.asyncDispose]());
  const far = await openEchoPeer(FAR, { books: [book.url] });
  book.tamper = () => [];
  const outcome = await exchangeWith(openPeer(1), far, far.hints, { byte: FAR, seed: 5 });
  expect(outcome).toBe('all');
  // By the hole that the book had punched, too.
  const stream = await openPeer(3).connect(
    { key: far.transport.key, hints: [`book+${book.url}`] },
    { signal: untilTestEnds() },
  );
  expect(stream.route?.kind).toBe('direct');
  expect(await exchange(stream, { byte: FAR, seed: 6 })).toBe('all');
});
