import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parameterSets } from '../../../spec/parameters.ts';
import { phaseOf } from '../../../spec/phase.ts';
import type { Engine } from '../../engine.ts';
import { openWebGpuEngine } from '../open-webgpu-engine.ts';
import { findTestAdapter, runWithAdapter } from '../software-adapter.fixture.ts';

const found = await findTestAdapter();
const environment = 'skip' in found ? {} : found.environment;
const title = 'skip' in found ? `a device (skipped: ${found.skip})` : 'a device';
const nowhere = { VK_DRIVER_FILES: '/nowhere.json', VK_ICD_FILENAMES: '/nowhere.json' };

const parameters = parameterSets.development;
const sessionId = new Uint8Array(32).fill(1);
const never = new AbortController().signal;

describe('openWebGpuEngine', () => {
  it.skipIf(process.platform !== 'linux')('says that there is no device, and what to do', async () => {
    await expect(openWebGpuEngine({ environment: nowhere })).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
      hint: expect.stringContaining('Vulkan'),
    });
  });

  it('tells what the process said that could not run the device', async () => {
    const opening = openWebGpuEngine({ environment: { NODE_OPTIONS: '--no-such-option' } });
    await expect(opening).rejects.toMatchObject({
      code: 'DEVICE_LOST',
      message: 'The process that runs the device ended with exit code 9.',
      cause: { message: expect.stringContaining('no-such-option') },
    });
  });
});

describe.skipIf('skip' in found)(title, { timeout: 60_000 }, () => {
  // Buffers of two layers of the development set, and no larger.
  const options = { environment, memoryBytes: 2 ** 24, mostBufferBytes: 2 ** 18 };
  let engine: Engine;
  beforeAll(async () => {
    engine = await openWebGpuEngine(options);
  }, 60_000);
  afterAll(async () => engine?.close());

  it('is not found by a name that it does not have', async () => {
    await expect(openWebGpuEngine({ ...options, adapter: 'no such name' })).rejects.toMatchObject({
      code: 'DEVICE_UNKNOWN',
      message: expect.stringContaining('no such name'),
      cause: { message: expect.stringContaining('Available adapters') },
    });
  });

  it('is refused sets whose layers its shaders cannot reach', async () => {
    await expect(engine.fittingLayers(parameterSets.production)).rejects.toMatchObject({ code: 'DEVICE_UNAVAILABLE' });
  });

  it('says when its memory is too small', async () => {
    const filling = engine.fill({ parameters, sessionId, layers: 600, signal: never });
    await expect(filling).rejects.toMatchObject({
      code: 'DEVICE_OUT_OF_MEMORY',
      details: { bytes: expect.any(Number) },
    });
  });

  it('says how many layers fit besides what passes work in', async () => {
    const layers = await engine.fittingLayers(parameters);
    expect(layers).toBeLessThan(2 ** 24 / 2 ** 17);
    expect(layers).toBeGreaterThan(80);
  });

  it('stops filling when asked, tells why it was stopped, and can fill again', async () => {
    const controller = new AbortController();
    const reason = new DOMException('The time is over.', 'TimeoutError');
    const filling = engine.fill({
      parameters,
      sessionId,
      layers: 100,
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
    });
    await expect(filling).rejects.toMatchObject({ code: 'TIMED_OUT' });
    await engine.fill({ parameters, sessionId, layers: 2, signal: never });
    const pass = { phase: phaseOf(parameters, 'bandwidth', 2), seed: sessionId, signal: never };
    expect((await engine.runPass(pass)).length).toBe(32 * pass.phase.rows);
  });

  it('ends a call that is open when it is closed, and answers none after', async () => {
    const closing = await openWebGpuEngine(options);
    const filling = closing.fill({ parameters, sessionId, layers: 100, signal: never });
    const [filled] = await Promise.allSettled([filling, closing.close()]);
    expect(filled).toMatchObject({ status: 'rejected', reason: { code: 'CANCELLED' } });
    await expect(closing.fittingLayers(parameters)).rejects.toMatchObject({ code: 'CANCELLED' });
  });

  it('does not keep a process from ending that forgot to close it', async () => {
    const stdout = await runWithAdapter(new URL('./leave-open.fixture.ts', import.meta.url), environment);
    expect(stdout).toMatch(/gpu|software/);
  });
});
