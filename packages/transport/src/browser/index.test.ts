import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { PeerKey } from '@latent/protocol';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { createKeyPair } from '../key-pair.ts';
import { openNodeLinkSocket } from '../link/node-link-socket.ts';
import { openSmallBook } from '../link/small-book.fixture.ts';
import { createRelayTransport } from '../peer/relay-transport.ts';
import { defineMethod } from '../rpc/define-method.ts';
import { handleCall } from '../rpc/handle-method.ts';
import { serveMethods } from '../rpc/serve-methods.ts';
import { noiseInBrowsers } from './noise-in-browsers.ts';

let folder: string;
/** Modules of Node that something in the bundle names, and who does. */
const named: string[] = [];
let outside: readonly string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latent-page-'));
  const built = await build({
    configFile: false,
    logLevel: 'error',
    plugins: [
      noiseInBrowsers(),
      {
        name: 'names-of-node',
        enforce: 'pre',
        resolveId: (name, importer) => {
          if (isBuiltin(name)) named.push(`${importer?.split('/node_modules/').at(-1)} → ${name}`);
        },
      },
    ],
    build: {
      outDir: folder,
      lib: { entry: join(import.meta.dirname, 'index.ts'), formats: ['es'], fileName: () => 'page.js' },
    },
  });
  const chunks = (Array.isArray(built) ? built : [built])
    .flatMap((one) => ('output' in one ? one.output : []))
    .filter((file) => file.type === 'chunk');
  const own = new Set(chunks.map(({ fileName }) => fileName));
  outside = chunks
    .flatMap(({ imports, dynamicImports }) => [...imports, ...dynamicImports])
    .filter((one) => !own.has(one));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the entry for browsers, built as for a page', () => {
  it('names no module of Node, but for the one that libsodium asks for where it finds itself in Node', () => {
    expect(named).toEqual(['libsodium-sumo/dist/modules-sumo-esm/libsodium-sumo.mjs → crypto']);
    expect(outside).toEqual([]);
  });

  it('calls a peer through a book where nothing of Node is to be had', async () => {
    await using book = await openSmallBook();
    const keyPair = createKeyPair(new Uint8Array(32).fill(2));
    const transport = createRelayTransport({ keyPair, openSocket: openNodeLinkSocket, books: [book.url] });
    const double = defineMethod({ name: 'double', kind: 'call', params: z.int(), result: z.int() });
    const callers: PeerKey[] = [];
    const handler = handleCall(double, async (number, { remoteKey }) => {
      callers.push(remoteKey);
      return 2 * number;
    });
    const { onStream } = serveMethods({
      handlers: [handler],
      onDefect: ({ error }) => expect.unreachable(String(error)),
    });
    const { hints, settled } = await transport.listen(onStream, { address: '127.0.0.1', port: 0 });
    await settled;

    const bundle = pathToFileURL(join(folder, 'page.js')).href;
    const workerData = { bundle, key: transport.key, hints };
    const worker = new Worker(new URL('./page-worker.fixture.ts', import.meta.url), { workerData });
    const [said] = await once(worker, 'message');
    const { key } = createKeyPair(new Uint8Array(32).fill(1));
    expect(said).toEqual({ key, doubled: 42 });
    expect(callers).toEqual([key]);
    await worker.terminate();
    await transport.close();
  });
});
