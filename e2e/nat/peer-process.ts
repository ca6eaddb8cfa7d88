import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { peerKeySchema } from '@latent/protocol';
import { createKeyPair, createPeerTransport, type EncryptedStream } from '@latent/transport';
import { z } from 'zod';
import { type PeerAnswer, type PeerCommand, peerCommandSchema } from './peer-messages.ts';

// A peer in a lab: `peer-process.ts OPTIONS`. Commands come by standard input as JSON, one a line; answers go the same way.

const optionsSchema = z.object({ books: z.array(z.string()), pathTimeoutMs: z.number() });
const { books, pathTimeoutMs } = optionsSchema.parse(JSON.parse(process.argv[2] ?? ''));
const CONNECT_LIMIT_MS = 15_000;
const MESSAGE_BYTES = 64 * 1024;
/** How exactly it is known when a path became direct. */
const LOOK_MS = 2;

const transport = openTransport();
const listener = await transport.listen((stream) => void serve(stream), { address: '0.0.0.0', port: 0 });
await listener.settled;
answer({ kind: 'ready', key: transport.key, hints: [...listener.hints] });

function openTransport() {
  return createPeerTransport({
    keyPair: createKeyPair(randomBytes(32)),
    books,
    times: { pathTimeoutMs, resumeMs: 60_000 },
  });
}

const streams = new Map<string, EncryptedStream>();
const incoming = new Map<string, AsyncIterator<Uint8Array>>();

createInterface({ input: process.stdin }).on('line', (line) => {
  const command = peerCommandSchema.parse(JSON.parse(line));
  obey(command).then(answer, (thrown: unknown) =>
    answer({ kind: 'failed', message: thrown instanceof Error ? thrown.message : String(thrown) }),
  );
});

/** Sends back what comes; of a message that begins with 1 only that it came. */
async function serve(stream: EncryptedStream): Promise<void> {
  try {
    for await (const message of stream.messages()) await stream.send(message[0] === 1 ? Uint8Array.of(1) : message);
    await stream.end();
  } catch {
    // The stream broke: the other side says so.
    stream.destroy();
  }
}

async function obey(command: PeerCommand): Promise<PeerAnswer> {
  switch (command.kind) {
    case 'connect': {
      const startedMs = performance.now();
      const peer = { key: peerKeySchema.parse(command.key), hints: command.hints };
      const stream = await transport.connect(peer, { signal: AbortSignal.timeout(CONNECT_LIMIT_MS) });
      streams.set(command.key, stream);
      incoming.set(command.key, stream.messages()[Symbol.asyncIterator]());
      await echo(command.key, Uint8Array.of(0));
      return { kind: 'connected', ms: performance.now() - startedMs, route: routeOf(stream) };
    }
    case 'fresh':
      return { kind: 'freshly', ...(await connectAfresh(command)) };
    case 'route':
      return { kind: 'route', route: routeOf(find(command.key)) };
    case 'echo': {
      // Each message is told from the others, so that one that is lost, doubled or overtaken shows.
      for (let number = 1; number <= command.messages; number += 1) {
        const sent = new Uint8Array(1024);
        new DataView(sent.buffer).setUint32(4, number);
        const got = await echo(command.key, sent);
        if (Buffer.compare(got, sent) !== 0) throw new Error(`message ${number} came back as another one`);
      }
      return { kind: 'echoed', route: routeOf(find(command.key)) };
    }
    case 'bulk':
      return { kind: 'bulk', megabytesPerSecond: await bulk(command.key, command.bytes) };
    default:
      return command satisfies never;
  }
}

async function connectAfresh(command: Extract<PeerCommand, { readonly kind: 'fresh' }>) {
  const fresh = openTransport();
  try {
    const startedMs = performance.now();
    const peer = { key: peerKeySchema.parse(command.key), hints: command.hints };
    const stream = await fresh.connect(peer, { signal: AbortSignal.timeout(CONNECT_LIMIT_MS) });
    await stream.send(Uint8Array.of(0));
    await stream.messages()[Symbol.asyncIterator]().next();
    const answeredMs = performance.now() - startedMs;
    for (;;) {
      const nowMs = performance.now() - startedMs;
      if (stream.route?.kind === 'direct') return { answeredMs, directMs: nowMs };
      if (nowMs >= command.directWithinMs) return { answeredMs, directMs: null };
      await pause(LOOK_MS);
    }
  } finally {
    await fresh.close();
  }
}

async function echo(key: string, message: Uint8Array): Promise<Uint8Array> {
  await find(key).send(message);
  const next = await incoming.get(key)?.next();
  if (next === undefined || next.done === true) throw new Error('the stream ended');
  return next.value;
}

/** One way; each message is acknowledged by a short one. */
async function bulk(key: string, bytes: number): Promise<number> {
  const messages = Math.ceil(bytes / MESSAGE_BYTES);
  const message = new Uint8Array(MESSAGE_BYTES);
  message[0] = 1;
  const startedMs = performance.now();
  const receiving = (async () => {
    for (let at = 0; at < messages; at += 1) await incoming.get(key)?.next();
  })();
  for (let at = 0; at < messages; at += 1) await find(key).send(message);
  await receiving;
  return (messages * MESSAGE_BYTES) / 1e6 / ((performance.now() - startedMs) / 1_000);
}

function find(key: string): EncryptedStream {
  const stream = streams.get(key);
  if (stream === undefined) throw new Error('not connected');
  return stream;
}

function routeOf({ route }: EncryptedStream): string {
  return route === undefined ? 'none' : `${route.kind} ${route.through}`;
}

function answer(message: PeerAnswer): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}
