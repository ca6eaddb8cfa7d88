import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import NodeStream from '@hyperswarm/secret-stream';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { noiseInBrowsers } from './noise-in-browsers.ts';

type StreamClass = typeof NodeStream;

const MIB = 1024 * 1024;
/** Empty, tiny, around a block of the cipher, and so large that they come in pieces: 1 MiB in all. */
const sizes = [0, 1, 15, 16, 17, 63, 64, 65, 1_000, 65_535, 65_536, 262_144];
sizes.push(MIB - sizes.reduce((sum, size) => sum + size, 0));

let folder: string;
/** What a page gets: built for browsers, with nothing of Node's. */
let BrowserStream: StreamClass;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latent-noise-'));
  await build({
    configFile: false,
    logLevel: 'error',
    plugins: [noiseInBrowsers()],
    build: {
      outDir: folder,
      lib: { entry: join(import.meta.dirname, 'noise-secret-stream.ts'), formats: ['es'], fileName: () => 'noise.js' },
    },
  });
  const built: { default: StreamClass } = await import(pathToFileURL(join(folder, 'noise.js')).href);
  BrowserStream = built.default;
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function socketPair(): Promise<readonly [Socket, Socket]> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = z.object({ port: z.number() }).parse(server.address());
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const dialled = connect(port, '127.0.0.1');
  const pair = [dialled, await accepted] as const;
  server.close();
  return pair;
}

function openStream(Stream: StreamClass, isInitiator: boolean, raw: Socket, seed: number) {
  const keyPair = NodeStream.keyPair(Buffer.alloc(32, seed));
  const stream = new Stream(isInitiator, raw, { keyPair, pattern: 'XX', enableSend: false });
  return { stream, publicKey: Buffer.from(keyPair.publicKey) };
}

/** Messages that differ from each other in every byte that could be mistaken. */
function messagesOf(salt: number): readonly Buffer[] {
  return sizes.map((size, index) =>
    Buffer.from(Array.from({ length: size }, (_, at) => (at * 31 + index * 7 + salt) % 251)),
  );
}

/** All that comes, until as many messages came as are expected or the stream is gone. */
function collect(stream: InstanceType<StreamClass>): Promise<readonly Buffer[]> {
  return new Promise((resolve, reject) => {
    const received: Buffer[] = [];
    stream.on('error', reject);
    stream.on('close', () => reject(new Error(`closed after ${received.length} messages`)));
    stream.on('data', (data) => {
      received.push(Buffer.from(data));
      if (received.length === sizes.length) resolve(received);
    });
  });
}

describe('the secret stream of a browser', () => {
  it.each([
    ['the browser dials', true],
    ['Node dials', false],
  ])('meets the one of Node and carries 1 MiB each way, byte by byte: %s', async (_who, browserDials) => {
    const [dialled, accepted] = await socketPair();
    const browser = openStream(BrowserStream, browserDials, browserDials ? dialled : accepted, 1);
    const node = openStream(NodeStream, !browserDials, browserDials ? accepted : dialled, 2);
    expect(BrowserStream).not.toBe(NodeStream);
    expect(await Promise.all([browser.stream.opened, node.stream.opened])).toEqual([true, true]);
    expect(Buffer.from(browser.stream.remotePublicKey ?? [])).toEqual(node.publicKey);
    expect(Buffer.from(node.stream.remotePublicKey ?? [])).toEqual(browser.publicKey);

    const [atBrowser, atNode] = [collect(browser.stream), collect(node.stream)];
    for (const message of messagesOf(1)) browser.stream.write(message);
    for (const message of messagesOf(2)) node.stream.write(message);
    const [fromNode, fromBrowser] = await Promise.all([atBrowser, atNode]);
    expect(fromBrowser.map((message) => message.byteLength)).toEqual(sizes);
    expect(Buffer.concat(fromBrowser).equals(Buffer.concat(messagesOf(1)))).toBe(true);
    expect(fromNode.map((message) => message.byteLength)).toEqual(sizes);
    expect(Buffer.concat(fromNode).equals(Buffer.concat(messagesOf(2)))).toBe(true);
    browser.stream.destroy();
    node.stream.destroy();
  });

  it('makes the same pair of a seed as in Node', () => {
    const seed = Buffer.alloc(32, 7);
    const [here, there] = [BrowserStream.keyPair(seed), NodeStream.keyPair(seed)];
    expect(Buffer.from(here.publicKey)).toEqual(Buffer.from(there.publicKey));
    expect(Buffer.from(here.secretKey)).toEqual(Buffer.from(there.secretKey));
  });

  it('breaks on bytes that the peer never encrypted', async () => {
    const [dialled, accepted] = await socketPair();
    const browser = openStream(BrowserStream, true, dialled, 1);
    const node = openStream(NodeStream, false, accepted, 2);
    await Promise.all([browser.stream.opened, node.stream.opened]);
    const broken = new Promise<Error>((resolve) => browser.stream.on('error', resolve));
    const first = new Promise<Uint8Array>((resolve) => browser.stream.on('data', resolve));
    node.stream.write(Buffer.from('as it was sent'));
    expect(Buffer.from(await first).toString()).toBe('as it was sent');
    // Behind the secret stream: a frame of 20 bytes that it never sealed.
    accepted.write(Buffer.from([20, 0, 0, ...Buffer.alloc(20)]));
    expect(await broken).toMatchObject({ code: 'STREAM_CLOSED' });
    node.stream.destroy();
  });
});
