import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * What a rank of the private network's test runs, by itself on its machine: sums up vectors with the others by name, looks for what it
 * must not reach, and keeps one connection from rank 0 to rank 1 busy until a file `stop` is there. Prints a line of JSON for each.
 */

const PORT = 7000;
const VALUES = 1 << 20;
/** Numbers in one block of the long stream. */
const BLOCK = 16_384;
const PACE_MS = 10;
/** A silent address is taken for one that nobody has. */
const SILENCE_MS = 3_000;

const rank = Number(process.env['SKYPILOT_NODE_RANK']);
const addresses = (process.env['SKYPILOT_NODE_IPS'] ?? '').split('\n');
const lease = process.env['LATENT_LEASE_ID'] ?? '';
const size = addresses.length;

function tell(what: string, told: object): void {
  process.stdout.write(`${JSON.stringify({ what, ...told })}\n`);
}

/** First byte of a connection: what it is for. */
const HELLO = 1;
const VECTORS = 2;
const STEADY = 3;

const vectors = Promise.withResolvers<Socket>();
const steady = Promise.withResolvers<Socket>();
const server = createServer((socket) => {
  socket.on('error', () => undefined);
  socket.once('readable', () => {
    const read: unknown = socket.read(1);
    const kind = Buffer.isBuffer(read) ? read[0] : undefined;
    if (kind === VECTORS) vectors.resolve(socket);
    else if (kind === STEADY) steady.resolve(socket);
    else socket.end(`${lease} ${rank}`);
  });
});
// Nothing else binds the address, and everything of the others comes to it.
server.listen(PORT, addresses[rank]);
await once(server, 'listening');

/** Tries until the other rank listens. */
async function open(host: string, kind: number): Promise<Socket> {
  for (;;) {
    const socket = connect({ host, port: PORT, noDelay: true });
    try {
      await once(socket, 'connect');
      // Whoever has all it wants may drop the rest.
      socket.on('error', () => undefined).write(Uint8Array.of(kind));
      return socket;
    } catch {
      socket.destroy();
      await pause(50);
    }
  }
}

async function readAll(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

async function* blocksOf(socket: Socket, bytes: number): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of socket) {
    let rest: Buffer = chunk;
    while (length + rest.length >= bytes) {
      const head = rest.subarray(0, bytes - length);
      yield Buffer.concat([...parts, head]);
      rest = rest.subarray(head.length);
      parts = [];
      length = 0;
    }
    if (rest.length > 0) parts.push(rest);
    length += rest.length;
  }
}

/** Everybody's vector goes once around; each adds what comes by. */
async function sumUp(): Promise<void> {
  const own = Int32Array.from({ length: VALUES }, (_, index) => Math.imul(index, 0x9e37_79b1) ^ (rank * 40_503));
  const sum = own.slice();
  const next = await open(`rank-${(rank + 1) % size}.cluster`, VECTORS);
  const send = async (bytes: Uint8Array) => {
    if (!next.write(bytes)) await once(next, 'drain');
  };
  let sending = send(Buffer.from(own.buffer));
  let steps = 0;
  for await (const block of blocksOf(await vectors.promise, VALUES * 4)) {
    const values = new Int32Array(block.buffer.slice(block.byteOffset, block.byteOffset + block.byteLength));
    for (let index = 0; index < VALUES; index += 1) sum[index] = ((sum[index] ?? 0) + (values[index] ?? 0)) | 0;
    steps += 1;
    if (steps === size - 1) break;
    await sending;
    sending = send(block);
  }
  await sending;
  next.end();
  tell('sum', { sha256: createHash('sha256').update(Buffer.from(sum.buffer)).digest('hex') });
}

/** `answered`, or why not. */
async function knock(host: string, port: number): Promise<string> {
  const socket = connect({ host, port });
  socket.setTimeout(SILENCE_MS, () => socket.destroy(new Error('silence')));
  try {
    await once(socket, 'connect');
    return 'answered';
  } catch (thrown) {
    return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'silence';
  } finally {
    socket.destroy();
  }
}

async function lookAround(): Promise<void> {
  const hello = async (host: string) => readAll(await open(host, HELLO));
  const beyond = (addresses[0] ?? '').replace(/\d+$/, String(size + 1));
  const [byName, byAddress, loopback, stranger] = await Promise.all([
    Promise.all(addresses.map((_, other) => hello(`rank-${other}.cluster`))),
    Promise.all(addresses.map(hello)),
    knock('127.0.0.1', Number(process.env['MACHINE_PORT'])),
    knock(beyond, PORT),
  ]);
  const interfaces = Object.keys(networkInterfaces()).filter((name) => name !== 'lo');
  const { MASTER_ADDR: master, GLOO_SOCKET_IFNAME: gloo } = process.env;
  tell('around', { byName, byAddress, loopback, stranger, interfaces, master, gloo });
}

async function sendSteadily(): Promise<void> {
  const socket = await open('rank-1.cluster', STEADY);
  const block = new Uint32Array(BLOCK);
  let count = 0;
  while (!existsSync('stop')) {
    for (let index = 0; index < BLOCK; index += 1) block[index] = count + index;
    count += BLOCK;
    if (!socket.write(Buffer.from(block.slice().buffer))) await once(socket, 'drain');
    await pause(PACE_MS);
  }
  socket.end();
  tell('sent', { count });
}

async function receiveSteadily(): Promise<void> {
  let count = 0;
  for await (const bytes of blocksOf(await steady.promise, BLOCK * 4)) {
    const block = new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
    for (const [index, value] of block.entries()) {
      if (value !== (count + index) >>> 0) throw new Error(`number ${count + index} came as ${value}`);
    }
    count += BLOCK;
    if ((count / BLOCK) % 16 === 0) tell('received', { count });
  }
  tell('received all', { count });
}

await sumUp();
await lookAround();
if (rank === 0) await sendSteadily();
if (rank === 1) await receiveSteadily();
while (!existsSync('stop')) await pause(100);
server.close();
