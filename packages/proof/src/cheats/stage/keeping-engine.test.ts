import { describe, expect, it } from 'vitest';
import { openReferenceEngine } from '../../provers/reference/reference-engine.ts';
import { toHex } from '../../spec/bytes.ts';
import { parameterSets } from '../../spec/parameters.ts';
import { phaseNames, phaseOf } from '../../spec/phase.ts';
import { loadKernel } from '../../wasm/load-kernel.ts';
import { modelDevice } from './device-model.ts';
import { type MakeStates, makeHonestly, openKeepingEngine } from './keeping-engine.ts';
import { createManualClock } from './manual-clock.ts';

const { development } = parameterSets;
const LAYERS = 4;
const signal = new AbortController().signal;
const seed = new Uint8Array(32).fill(7);
const fillRequest = { parameters: development, sessionId: new Uint8Array(32).fill(1), layers: LAYERS, signal };

async function openFilled(make?: MakeStates) {
  const { hash } = await loadKernel();
  const clock = createManualClock();
  const manners = make === undefined ? {} : { make: { compute: make } };
  const engine = openKeepingEngine({ hash, clock, model: modelDevice(development, LAYERS, 10), manners });
  await engine.fill(fillRequest);
  return { engine, clock };
}

const everySample = (pass: number) =>
  Array.from({ length: development.computeRows * LAYERS }, (_, place) => place).flatMap((place) =>
    Array.from({ length: development.width }, (_, output) => ({
      ...{ pass, row: Math.floor(place / LAYERS), step: place % LAYERS, output },
    })),
  );

describe('an engine that keeps its states', () => {
  it.each(phaseNames)('without bad manners gives the row roots of the reference in a %s pass', async (name) => {
    const { engine } = await openFilled();
    const reference = openReferenceEngine();
    await reference.fill(fillRequest);
    const request = { phase: phaseOf(development, name, LAYERS), seed, signal };
    expect(toHex(await engine.runPass(request))).toBe(toHex(await reference.runPass(request)));
  });

  it('moves the clock by what an honest pass takes of the device', async () => {
    const { engine, clock } = await openFilled();
    await engine.runPass({ phase: phaseOf(development, 'bandwidth', LAYERS), seed, signal });
    expect(clock.nowMs()).toBeCloseTo(1000, 6);
  });

  it('finds nothing wrong with honest states', async () => {
    const { engine } = await openFilled();
    await engine.runPass({ phase: phaseOf(development, 'compute', LAYERS), seed, signal });
    expect(everySample(0).filter((sample) => engine.isWrong('compute', sample))).toEqual([]);
  });

  it('finds the entries of a made-up layer wrong, but for one in sixteen, and no others', async () => {
    const { engine } = await openFilled((call) => (call.step === 2 ? call.before : makeHonestly(call)));
    await engine.runPass({ phase: phaseOf(development, 'compute', LAYERS), seed, signal });
    const wrong = everySample(0).filter((sample) => engine.isWrong('compute', sample));
    expect(new Set(wrong.map(({ step }) => step))).toEqual(new Set([2]));
    const share = wrong.length / (development.computeRows * development.width);
    // 8,192 entries: one in sixteen is right, give or take six standard deviations.
    expect(Math.abs(share - 15 / 16)).toBeLessThan(0.017);
  });
});
