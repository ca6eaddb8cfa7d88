import { parentPort, workerData } from 'node:worker_threads';
import { peerKeySchema } from '@latent/protocol';
import { z } from 'zod';

// A thread whose WebSocket is Node's, and in which the bundle finds what a page has and nothing else of Node's. It calls a peer.

const { bundle, key, hints } = z
  .object({ bundle: z.url(), key: peerKeySchema, hints: z.array(z.string()) })
  .parse(workerData);
const folder = bundle.slice(0, bundle.lastIndexOf('/'));

/** Node's own modules go on finding it: its WebSocket needs it. */
function hideFromBundle(name: string): void {
  const value: unknown = Reflect.get(globalThis, name);
  const get = () => {
    const [, , whoAsks = ''] = (new Error('who asks?').stack ?? '').split('\n');
    return whoAsks.includes(folder) ? undefined : value;
  };
  Object.defineProperty(globalThis, name, { get });
}

for (const name of ['process', 'Buffer', 'global', 'setImmediate', 'clearImmediate']) hideFromBundle(name);
const entry: typeof import('./index.ts') = await import(bundle);
const { callMethod, createBrowserTransport, createKeyPair, defineMethod } = entry;
const transport = createBrowserTransport({ keyPair: createKeyPair(new Uint8Array(32).fill(1)) });
const double = defineMethod({ name: 'double', kind: 'call', params: z.int(), result: z.int() });
const options = { signal: new AbortController().signal, timeoutMs: 20_000 };
const doubled = await callMethod(transport, { key, hints }, double, 21, options);
await transport.close();
parentPort?.postMessage({ key: transport.key, doubled });
