import { randomBytes } from 'node:crypto';
import { LatentError } from '@latent/protocol';
import { openInChromium } from '../e2e/browser/chromium.ts';
import { startBook } from '../e2e/browser/start-book.ts';
import type { Benchmark, Measurement } from './harness/benchmark.ts';
import { percentile } from './harness/percentile.ts';
import { type PageKind, pageKinds } from './page-stream/page-command.ts';
import { type PageChannel, servePage, tellPage } from './page-stream/serve-page.ts';

const ROUNDS = 5;
const MB = 1_000_000;
const SIZES = [
  { name: '256 KiB', bytes: 256 * 1024, messages: 400 },
  { name: '1 KiB', bytes: 1024, messages: 10_000 },
] as const;
const names: Readonly<Record<PageKind, string>> = {
  relayed: 'transport, relayed by a book',
  noise: 'secret stream (Noise, WASM in the page)',
  plain: 'WebSocket alone',
};

const { MAX_SAFE_INTEGER } = Number;
/** What protects a book from one peer must not be what is measured. */
const UNBOUNDED = {
  relayBytesPerSecond: MAX_SAFE_INTEGER,
  relayBytesPerSecondPerAddress: MAX_SAFE_INTEGER,
  relayFreeBytesPerKey: MAX_SAFE_INTEGER,
  relayFreeBytesPerAddress: MAX_SAFE_INTEGER,
};

/** A page that is open, and the rates that were measured with it, in MB/s, by size. */
interface Measured {
  readonly kind: PageKind;
  readonly channel: PageChannel;
  readonly failed: Promise<never>;
  readonly rates: readonly { readonly toPage: number[]; readonly fromPage: number[] }[];
}

/** What a page gets of a peer, and what encryption and the way through a book cost it. */
export const pageStream: Benchmark = {
  name: 'page-stream',
  summary:
    'throughput between Node and a page in Chromium: of the transport through a real book, of encryption alone, of a WebSocket alone',
  async run({ runs = ROUNDS, signal, onProgress }) {
    const open: (() => Promise<void>)[] = [];
    try {
      const book = await startBook(UNBOUNDED);
      open.push(book.close);
      const measured: Measured[] = [];
      for (const kind of pageKinds) {
        const seeds = { page: randomBytes(32), node: randomBytes(32) };
        const page = await servePage({ speak: kind, seeds, book: book.url });
        open.push(page.close);
        const browser = await openInChromium(page.url);
        open.push(browser.close);
        const failed = Promise.race([page.failed, browser.failed, whenAborted(signal)]);
        const channel = await Promise.race([page.channel, failed]);
        measured.push({ kind, channel, failed, rates: SIZES.map(() => ({ toPage: [], fromPage: [] })) });
      }
      // Round 0 warms up. Kinds take turns, so that a disturbance meets both alike.
      for (let round = 0; round <= runs; round += 1) {
        onProgress(`round ${round} of ${runs}`);
        for (const { channel, failed, rates } of measured) {
          for (const [index, size] of SIZES.entries()) {
            const toPage = await Promise.race([rateToPage(channel, size), failed]);
            const fromPage = await Promise.race([rateFromPage(channel, size), failed]);
            if (round === 0) continue;
            rates[index]?.toPage.push(toPage);
            rates[index]?.fromPage.push(fromPage);
          }
        }
      }
      return measurement(measured, runs);
    } finally {
      await Promise.all(open.map((close) => close()));
    }
  },
};

function measurement(measured: readonly Measured[], runs: number): Measurement {
  return {
    tables: SIZES.map(({ name }, index) => ({
      title: `Messages of ${name}, one direction at a time`,
      columns: ['to the page, p50', 'to the page, best', 'from the page, p50', 'from the page, best'].map((column) => ({
        name: column,
        unit: 'MB/s',
      })),
      rows: measured.map(({ kind, rates }) => {
        const { toPage = [], fromPage = [] } = rates[index] ?? {};
        const figures = [toPage, fromPage].flatMap((list) => [percentile(list, 50), percentile(list, 100)]);
        return { name: names[kind], figures };
      }),
    })),
    aims: [],
    notes: [
      `${runs} rounds after one to warm up. Node, the book (a process of its own) and Chromium are on one machine and share its cores.`,
      'The transport: one stream of a connection, with all that it does to outlive its link; two WebSockets, and the book between them. The others: one WebSocket from the page to Node.',
      'To the page: until it says that it has everything. From the page: from the order to send until everything has arrived.',
    ],
  };
}

async function rateToPage(channel: PageChannel, { bytes, messages }: (typeof SIZES)[number]): Promise<number> {
  const total = bytes * messages;
  const message = randomBytes(bytes);
  await tellPage(channel, { do: 'receive', bytes: total });
  const answered = new Promise<number>((resolve) => {
    channel.onMessage = ({ byteLength }) => resolve(byteLength);
  });
  const before = performance.now();
  for (let sent = 0; sent < messages; sent += 1) await channel.send(message);
  const answer = await answered;
  const seconds = (performance.now() - before) / 1_000;
  if (answer !== 1) throw new LatentError('INTERNAL', `The page answered with ${answer} bytes.`);
  return total / MB / seconds;
}

async function rateFromPage(channel: PageChannel, { bytes, messages }: (typeof SIZES)[number]): Promise<number> {
  const total = bytes * messages;
  const arrived = new Promise<number>((resolve) => {
    let received = 0;
    channel.onMessage = ({ byteLength }) => {
      received += byteLength;
      if (received >= total) resolve(received);
    };
  });
  const before = performance.now();
  await tellPage(channel, { do: 'send', messages, bytes });
  const received = await arrived;
  const seconds = (performance.now() - before) / 1_000;
  if (received !== total) throw new LatentError('INTERNAL', `${received} of ${total} bytes arrived.`);
  return total / MB / seconds;
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
