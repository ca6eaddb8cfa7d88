import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { toHex } from '../../spec/bytes.ts';
import { nobleHash } from '../../spec/noble.ts';
import { type Parameters, parameterSets } from '../../spec/parameters.ts';
import { phaseOf } from '../../spec/phase.ts';
import { describeEngine } from '../conformance.ts';
import type { Engine } from '../engine.ts';
import { openReferenceEngine } from '../reference/reference-engine.ts';
import { buildDouble, type CudaDouble, type DoubleDevice, whyNoDouble } from './cuda-double.fixture.ts';
import { type CudaEngineOptions, openCudaEngine } from './cuda-engine.ts';

/** What the fast kernels are made for, small: their own code runs at it. */
const fastParameters: Parameters = { ...parameterSets.development, gates: 16, computeRows: 128, laneRows: 8 };

const KIB = 1024;
const skip = await whyNoDouble();
const double: CudaDouble | undefined = skip === undefined ? await buildDouble() : undefined;
const never = new AbortController().signal;
const sessionId = nobleHash(new TextEncoder().encode('a session'));
const seed = nobleHash(new TextEncoder().encode('a seed'));

function need(): CudaDouble {
  if (double === undefined) throw new Error('no double');
  return double;
}

function open(options: CudaEngineOptions = {}): Promise<Engine> {
  return openCudaEngine({ libraries: [need().library], ...options });
}

/** Row roots of a pass of each kind, and what opening gives. */
async function answersOf(engine: Engine, parameters: Parameters, layers: number): Promise<readonly string[]> {
  await engine.fill({ parameters, sessionId, layers, signal: never });
  const [compute, bandwidth] = [phaseOf(parameters, 'compute', layers), phaseOf(parameters, 'bandwidth', layers)];
  const rows = [
    { phase: compute, seed, row: 77, states: [0, compute.steps] },
    { phase: bandwidth, seed, row: 9, states: [1] },
  ];
  const opened = await engine.reopenRows(rows, never);
  return [
    toHex(await engine.runPass({ phase: compute, seed, signal: never })),
    toHex(await engine.runPass({ phase: bandwidth, seed, signal: never })),
    ...opened.flatMap(({ digests, states }) => [digests, ...states].map(toHex)),
  ];
}

describeEngine(
  'cuda, compute capability 9.0, emulated',
  async () => {
    need().devices(1);
    return open();
  },
  { skip, shapes: [{ parameters: fastParameters, layers: 4 }] },
);

describe.skipIf(skip !== undefined)(
  `kernels on an emulated device${skip === undefined ? '' : ` (skipped: ${skip})`}`,
  () => {
    const layers = 4;
    let expected: readonly string[];
    beforeAll(async () => {
      expected = await answersOf(openReferenceEngine(), fastParameters, layers);
    }, 60_000);

    interface Case {
      readonly what: string;
      readonly device: DoubleDevice;
      readonly schedule: readonly [copiesLate: boolean, multipliesLate: boolean, order: number];
      readonly uses: readonly string[];
    }
    const hopper = { device: { capability: [9, 0] }, uses: ['hopper_step', 'bandwidth_steps_12'] } as const;
    const cases: readonly Case[] = [
      { what: 'when everything comes as soon as it can', ...hopper, schedule: [false, false, 0] },
      { what: 'when copies come early and products late', ...hopper, schedule: [false, true, 1] },
      { what: 'when copies come late and products early', ...hopper, schedule: [true, false, 12345] },
      {
        what: 'of the generation 8.6, with little shared memory',
        device: { capability: [8, 6], sharedBytes: 99 * KIB, multiprocessors: 5 },
        schedule: [true, true, 1],
        uses: ['tiled_step', 'bandwidth_steps_4'],
      },
      {
        what: 'of the generation 8.0, shuffled',
        device: { capability: [8, 0], sharedBytes: 163 * KIB, multiprocessors: 7 },
        schedule: [false, true, 99],
        uses: ['tiled_step', 'bandwidth_steps_8'],
      },
      {
        what: 'whose blocks cannot be made to run at once',
        device: { capability: [12, 0], sharedBytes: 99 * KIB, cooperative: false },
        schedule: [true, true, 0],
        uses: ['tiled_step', 'bandwidth_steps_4'],
      },
    ];
    it.each(cases)('give the bytes of the reference $what', { timeout: 60_000 }, async ({ device, schedule, uses }) => {
      need().devices(1);
      need().device(0, device);
      need().schedule(...schedule);
      const engine = await open();
      try {
        expect(await answersOf(engine, fastParameters, layers)).toEqual(expected);
      } finally {
        await engine.close();
        need().schedule(true, true, 0);
      }
      expect(uses.map((name) => need().count(name) > 0)).toEqual(uses.map(() => true));
    });

    it('can be chosen, to be compared', { timeout: 60_000 }, async () => {
      need().devices(1);
      const engine = await open({ stepKernel: 'generic' });
      await answersOf(engine, fastParameters, 2);
      await engine.close();
      expect([need().count('tiled_step') > 0, need().count('hopper_step')]).toEqual([true, 0]);
    });
  },
);

describe.skipIf(skip !== undefined)('an engine whose device fails', () => {
  const parameters = parameterSets.development;
  const layers = 4;
  const fillRequest = { parameters, sessionId, layers, signal: never };
  const phase = phaseOf(parameters, 'compute', layers);
  beforeEach(() => need().devices(1));

  it('says that memory is short, and fills less after it was told to', async () => {
    const engine = await open();
    need().fault('memory', 1);
    await expect(engine.fill(fillRequest)).rejects.toMatchObject({
      code: 'DEVICE_OUT_OF_MEMORY',
      details: { name: 'CUDA_ERROR_OUT_OF_MEMORY' },
    });
    await engine.close();
    expect(need().count('leaked')).toBe(0);
  });

  it('fits as many layers as it said, and not many more', async () => {
    need().device(0, { capability: [9, 0], memoryMib: 80 });
    const engine = await open();
    const fitting = await engine.fittingLayers(parameters);
    expect(fitting * 128 * KIB).toBeGreaterThan(8 * KIB * KIB);
    await engine.fill({ ...fillRequest, layers: fitting });
    expect(await engine.fittingLayers(parameters)).toBe(fitting);
    await engine.close();
    expect(need().count('leaked')).toBe(0);
  });

  it('tells a lost device in the middle of a pass, and closes without a word', async () => {
    const engine = await open();
    await engine.fill(fillRequest);
    need().fault('lose', 5);
    await expect(engine.runPass({ phase, seed, signal: never })).rejects.toMatchObject({
      code: 'DEVICE_LOST',
      details: { name: 'CUDA_ERROR_LAUNCH_FAILED' },
    });
    await expect(engine.runPass({ phase, seed, signal: never })).rejects.toMatchObject({ code: 'DEVICE_LOST' });
    await engine.close();
  });

  it('tells a launch that was refused', async () => {
    const engine = await open();
    await engine.fill(fillRequest);
    need().fault('launch', 3);
    await expect(engine.runPass({ phase, seed, signal: never })).rejects.toMatchObject({ code: 'DEVICE_LOST' });
    await engine.close();
  });

  it("gives the compiler's own words when kernels do not compile, and holds nothing", async () => {
    need().fault('ptx', 1);
    await expect(open()).rejects.toMatchObject({
      code: 'DEVICE_UNAVAILABLE',
      details: { log: 'ptxas fatal : the double refuses' },
    });
    expect(need().count('leaked')).toBe(0);
  });

  it.each(['compute', 'bandwidth'] as const)('stops in the middle of a %s pass, and can go on', async (name) => {
    const engine = await open();
    const long = 60;
    await engine.fill({ ...fillRequest, layers: long });
    const stop = new AbortController();
    const request = { phase: phaseOf(parameters, name, long), seed, signal: stop.signal };
    await expect(engine.runPass({ ...request, onProgress: () => stop.abort() })).rejects.toMatchObject({
      code: 'CANCELLED',
    });
    const roots = await engine.runPass({ ...request, signal: never });
    expect(roots.length).toBe(32 * request.phase.rows);
    await engine.close();
    expect(need().count('leaked')).toBe(0);
  });

  it('stops while it fills', async () => {
    const engine = await open();
    const stop = new AbortController();
    const request = { ...fillRequest, layers: 60, signal: stop.signal, onProgress: () => stop.abort() };
    await expect(engine.fill(request)).rejects.toMatchObject({ code: 'CANCELLED' });
    await engine.close();
  });

  it('refuses a device that is too old, and says what to do instead', async () => {
    need().device(0, { capability: [7, 5] });
    await expect(open()).rejects.toMatchObject({ code: 'DEVICE_UNAVAILABLE', hint: expect.stringContaining('WebGPU') });
  });

  it('refuses a kernel that the device does not have', async () => {
    need().device(0, { capability: [10, 0] });
    await expect(open({ stepKernel: 'hopper' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(need().count('leaked')).toBe(0);
  });
});
