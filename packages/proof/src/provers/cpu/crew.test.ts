import { afterEach, describe, expect, test } from 'vitest';
import { parameterSets } from '../../spec/parameters.ts';
import { compileKernel } from '../../wasm/compile-kernel.ts';
import { type Crew, startCrew } from './crew.ts';
import type { WorkerRequest } from './worker-messages.ts';

const module = await compileKernel();
const never = new AbortController().signal;
const request: WorkerRequest = {
  kind: 'fill',
  parameters: parameterSets.development,
  sessionId: new Uint8Array(32),
  layers: 2,
  progress: new SharedArrayBuffer(64),
};

let crew: Crew | undefined;
afterEach(async () => crew?.end());

/** A crew of two whose threads run `script`, with `port`, `worker` and the constant `done`. */
function crewOf(script: string): Crew {
  const head = `const { parentPort: port, workerData: { worker } } = require('node:worker_threads'); const done = { kind: 'done' };`;
  crew = startCrew(module, 2, new URL(`data:text/javascript,${encodeURIComponent(toModule(head + script))}`));
  return crew;
}

function toModule(script: string): string {
  return `import { createRequire } from 'node:module'; const require = createRequire('file:///'); ${script}`;
}

describe('a request', () => {
  test('ends when all threads have answered', async () => {
    const answering = crewOf(`port.on('message', () => port.postMessage(done));`);
    await answering.request(request, never);
    await answering.request(request, never);
  });

  test('fails with DEVICE_LOST if a thread exits, and so do all later ones', async () => {
    const dying = crewOf(`port.on('message', () => worker === 1 ? process.exit(3) : port.postMessage(done));`);
    await expect(dying.request(request, never)).rejects.toMatchObject({
      code: 'DEVICE_LOST',
      cause: { message: 'exit code 3' },
    });
    await expect(dying.request(request, never)).rejects.toMatchObject({ code: 'DEVICE_LOST' });
  });

  test('fails with DEVICE_LOST and its cause if a thread throws', async () => {
    const throwing = crewOf(`port.on('message', async () => { throw new Error('broken'); });`);
    await expect(throwing.request(request, never)).rejects.toMatchObject({
      code: 'DEVICE_LOST',
      cause: { message: 'broken' },
    });
  });

  test('fails with DEVICE_OUT_OF_MEMORY if one thread cannot have its memory, though another never answers', async () => {
    const short = crewOf(
      `port.on('message', () => worker === 1 && port.postMessage({ kind: 'outOfMemory', reason: 'too much' }));`,
    );
    await expect(short.request(request, never)).rejects.toMatchObject({
      code: 'DEVICE_OUT_OF_MEMORY',
      message: expect.stringContaining('too much'),
    });
  });

  test('is cancelled by its signal, though the threads never look up', async () => {
    const busy = crewOf(`port.on('message', () => { port.postMessage('busy'); for (;;); });`);
    await expect(busy.request(request, AbortSignal.timeout(1))).rejects.toMatchObject({ code: 'TIMED_OUT' });
  });

  test('is cancelled when the crew is ended', async () => {
    const silent = crewOf(`port.on('message', () => {});`);
    const asked = expect(silent.request(request, never)).rejects.toMatchObject({ code: 'CANCELLED' });
    await silent.end();
    await asked;
  });
});

test('a thread that dies while nothing is asked fails the next request', async () => {
  const dead = crewOf(`process.exit(0);`);
  await expect(dead.request(request, never)).rejects.toMatchObject({ code: 'DEVICE_LOST' });
});
