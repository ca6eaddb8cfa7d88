import { randomBytes } from 'node:crypto';
import { encodeRelayFrame, FIRST_BOOK_CHANNEL, LatentError } from '@latent/protocol';
import type { WebSocket } from 'ws';
import { answerAsked, readSetup } from '../harness/start-process.ts';
import { type LinkedPeer, openLink } from './idle-agent.ts';
import { type Asked, askedSchema, type Note, pairsSetupSchema } from './notes.ts';

// Pairs of peers, each sending over a channel as fast as it goes, with as much under way as a connection's window allows.

const WINDOW_BYTES = 4 * 1024 * 1024;
const CHANNEL = 1;

const { url } = readSetup(pairsSetupSchema);

answerAsked<Asked, Note>(askedSchema, { kind: 'ready', url }, async (asked) => {
  if (asked.kind !== 'relay') throw new LatentError('INTERNAL', `Pairs do not ${asked.kind}.`);
  const pairs = await Promise.all(Array.from({ length: asked.pairs }, () => openPair()));
  const before = performance.now();
  const bytes = await Promise.all(pairs.map((pair) => pump(pair, asked, before + asked.ms)));
  const ms = performance.now() - before;
  for (const { from, to } of pairs) {
    from.terminate();
    to.terminate();
  }
  return { kind: 'relayed', bytes: bytes.reduce((sum, one) => sum + one, 0), ms };
});

interface Pair {
  readonly from: WebSocket;
  readonly to: WebSocket;
}

async function openPair(): Promise<Pair> {
  const [from, to]: LinkedPeer[] = [await openLink(url), await openLink(url)];
  if (from === undefined || to === undefined) throw new LatentError('INTERNAL', 'There is no pair.');
  const meeting = { addresses: [], streamId: 1 };
  const introduced = new Promise<void>((resolve) => to.socket.once('message', () => resolve()));
  const answered = new Promise<void>((resolve) => from.socket.once('message', () => resolve()));
  const token = randomBytes(16).toString('hex');
  from.socket.send(JSON.stringify({ kind: 'introduce', channel: CHANNEL, to: to.key, token, ...meeting }));
  await introduced;
  to.socket.send(JSON.stringify({ kind: 'answer', channel: FIRST_BOOK_CHANNEL, ...meeting }));
  await answered;
  return { from: from.socket, to: to.socket };
}

/** @returns bytes that arrived */
function pump({ from, to }: Pair, { frameBytes }: Extract<Asked, { kind: 'relay' }>, untilMs: number): Promise<number> {
  // Sending masks a frame in place: one that is sent again and again needs no more than to be of its length.
  const frame = encodeRelayFrame(CHANNEL, randomBytes(frameBytes));
  let arrived = 0;
  return new Promise((resolve, reject) => {
    const send = () => from.send(Buffer.from(frame));
    to.on('message', (data, isBinary) => {
      if (!isBinary) return reject(new LatentError('INTERNAL', `The channel is gone: ${String(data)}`));
      arrived += frameBytes;
      if (performance.now() < untilMs) send();
      else resolve(arrived);
    });
    from.on('message', (data) => reject(new LatentError('INTERNAL', `The channel is gone: ${String(data)}`)));
    for (let sent = 0; sent < WINDOW_BYTES; sent += frameBytes) send();
  });
}
