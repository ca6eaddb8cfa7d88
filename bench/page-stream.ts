import { randomBytes } from 'node:crypto';
import { LatentError } from '@latent/protocol';
import { openInChromium } from '../e2e/browser/chromium.ts';
import { type PageChannel, serveNoisePage, tellPage } from '../e2e/browser/serve-noise-page.ts';
import type { Benchmark, Measurement } from './harness/benchmark.ts';
import { percentile } from './harness/percentile.ts';

const ROUNDS = 5;
const MB = 1_000_000;
const SIZES = [
  { name: '256 KiB', bytes: 256 * 1024, messages: 400 },
  { name: '1 KiB', bytes: 1024, messages: 10_000 },
] as const;
const kinds = ['noise', 'plain'] as const;
const names = { noise: 'secret stream (Noise, WASM in the page)', plain: 'WebSocket alone' } as const;

/** A page that is open, and the rates that were measured with it, in MB/s, by size. */
interface Measured {
  readonly kind: (typeof kinds)[number];
  readonly channel: PageChannel;
  readonly failed: Promise<never>;
  readonly rates: readonly { readonly toPage: number[]; readonly fromPage: number[] }[];
}

/** What encryption costs a page. */
export const pageStream: Benchmark = {
  name: 'page-stream',
  summary:
    'throughput of an encrypted stream between Node and a page in Chromium over a WebSocket, beside the WebSocket alone',
  async run({ runs = ROUNDS, signal, onProgress }) {
    const open: (() => Promise<void>)[] = [];
    try {
      const measured: Measured[] = [];
      for (const kind of kinds) {
        const page = await serveNoisePage({ speak: kind, seeds: { page: randomBytes(32), node: randomBytes(32) } });
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
      `${runs} rounds after one to warm up. Node and Chromium are on one machine and share its cores.`,
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
