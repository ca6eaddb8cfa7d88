import { expect, test } from 'vitest';
import { parameterSets } from '../../spec/parameters.ts';
import { phaseOf } from '../../spec/phase.ts';
import { describeEngine } from '../conformance.ts';
import { openCpuEngine } from './cpu-engine.ts';

describeEngine('cpu with 1 thread', () => openCpuEngine({ threads: 1 }));
describeEngine('cpu with 3 threads', () => openCpuEngine({ threads: 3 }));

const { development, production } = parameterSets;
const sessionId = new Uint8Array(32);
const never = new AbortController().signal;

test('refuses to have no threads', async () => {
  await expect(openCpuEngine({ threads: 0 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});

test('refuses to fill more than is free', async () => {
  const engine = await openCpuEngine({ threads: 1, freeBytes: () => 1_000_000 });
  await expect(engine.fill({ parameters: development, sessionId, layers: 8, signal: never })).rejects.toMatchObject({
    code: 'DEVICE_OUT_OF_MEMORY',
  });
  await engine.close();
});

test('counts what it holds as free, as filling again gives it back', async () => {
  const engine = await openCpuEngine({ threads: 1, freeBytes: () => 500_000_000 });
  const before = await engine.fittingLayers(development);
  await engine.fill({ parameters: development, sessionId, layers: 100, signal: never });
  expect(await engine.fittingLayers(development)).toBeGreaterThan(before);
  await engine.close();
  expect(await engine.fittingLayers(development)).toBe(before);
});

test('stops in the middle of a layer when asked', async () => {
  const engine = await openCpuEngine({ threads: 2 });
  const stop = new AbortController();
  const onProgress = () => stop.abort();
  await expect(
    engine.fill({ parameters: production, sessionId, layers: 4, signal: stop.signal, onProgress }),
  ).rejects.toMatchObject({ code: 'CANCELLED' });
  const phase = phaseOf(production, 'compute', 4);
  await expect(engine.runPass({ phase, seed: sessionId, signal: never })).rejects.toMatchObject({ code: 'INTERNAL' });
  await engine.close();
});

test('a call that runs while the engine is closed is cancelled', async () => {
  const engine = await openCpuEngine({ threads: 2 });
  const filling = expect(
    engine.fill({ parameters: production, sessionId, layers: 4, signal: never }),
  ).rejects.toMatchObject({ code: 'CANCELLED' });
  await engine.close();
  await filling;
});
