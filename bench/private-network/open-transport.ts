import { randomBytes } from 'node:crypto';
import { askFor } from '../transport/measure-pair.ts';
import { type Shape, startPair } from '../transport/start-pair.ts';
import { makeThrowawayCertificate } from '../transport/throwaway-certificate.ts';
import type { Way } from './way.ts';

const MESSAGE_BYTES = 64 * 1024;

export interface TransportWish {
  readonly title: string;
  readonly way: 'direct' | 'tcp';
  readonly shape?: Shape;
}

/** A transport alone: what a private network over it can come to at most. */
export async function openTransportWay({ title, way, shape }: TransportWish, signal: AbortSignal): Promise<Way> {
  const common = { seed: randomBytes(32).toString('hex'), book: '', ...makeThrowawayCertificate() };
  const pair = await startPair(way, { common, ...(shape === undefined ? {} : { shape }), signal });
  return {
    title,
    pids: [pair.dialler.pid, pair.listener.pid],
    bulk: async (totalBytes) =>
      (await askFor(pair, 'took', { kind: 'bulk', messageBytes: MESSAGE_BYTES, totalBytes })).ms,
    echo: async (count) => (await askFor(pair, 'echoed', { kind: 'echo', count, bytes: 1 })).ms,
    end: pair.end,
  };
}
