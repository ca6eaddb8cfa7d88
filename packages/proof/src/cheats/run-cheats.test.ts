import { beforeAll, describe, expect, it } from 'vitest';
import type { Kernel } from '../kernel.ts';
import { loadKernel } from '../wasm/load-kernel.ts';
import { cheats } from './catalogue.ts';
import type { Cheat, StoppedBy } from './cheat.ts';
import { confidenceOf } from './confidence.ts';
import { type CheatRow, runCheats } from './run-cheats.ts';

/** `latent proof cheats` makes more, the benchmark `proof-cheats` thousands. */
const TRIALS = 12;
/** Outside of it by chance alone once in a billion. */
const LEVEL = 1 - 1e-9;

const never = new AbortController().signal;
let kernel: Kernel;
beforeAll(async () => {
  kernel = await loadKernel();
});

async function runOne(cheat: Cheat, trials = TRIALS): Promise<CheatRow> {
  const request = { kernel, trials, seed: 'test', signal: never, readToMake: 100 };
  const [row] = await runCheats({ ...request, cheats: [cheat] });
  return row!;
}

/** What a trial may be refused with, by what is said to stop the cheat. */
const codesOf: Readonly<Record<StoppedBy, readonly string[]>> = {
  samples: ['PROOF_WRONG_ENTRY', 'PROOF_WRONG_INPUT', 'PROOF_LATE'],
  time: ['PROOF_LATE'],
  shape: ['PROOF_MALFORMED', 'PROOF_TOO_LARGE', 'PROOF_WRONG_LENGTH', 'PROOF_BAD_OPENING'],
  order: ['PROOF_MISMATCH', 'PROOF_WRONG_LENGTH', 'PROOF_BAD_OPENING'],
  economics: [],
};

describe('the catalogue of cheats', () => {
  it('has names of its own, sixteen of them or more', () => {
    expect(new Set(cheats.map(({ name }) => name)).size).toBe(cheats.length);
    expect(cheats.length).toBeGreaterThanOrEqual(16);
  });

  it('gives a sum wherever nothing in the proof stops a cheat', () => {
    const economic = cheats.filter(({ stoppedBy }) => stoppedBy === 'economics');
    expect(economic.length).toBeGreaterThan(0);
    expect(economic.filter(({ sum, predicted }) => sum === undefined || typeof predicted === 'number')).toEqual([]);
  });

  it.each(cheats.map((cheat) => [cheat.name, cheat] as const))(
    'meets %s as often as is predicted, and refuses it with the codes of what stops it',
    async (_, cheat) => {
      const row = await runOne(cheat);
      const allowed = codesOf[cheat.stoppedBy];
      expect(Object.keys(row.codes).filter((code) => !allowed.includes(code))).toEqual([]);
      const refused = Object.values(row.codes).reduce((sum, count) => sum + count, 0);
      expect(refused + row.scoredLess + row.accepted).toBe(TRIALS);
      if (cheat.stoppedBy !== 'time') expect(row.scoredLess).toBe(0);
      if (cheat.predicted === 'n/a: economics') {
        expect(row.accepted).toBe(TRIALS);
        return;
      }
      const { low, high } = confidenceOf(row.accepted, row.trials, LEVEL);
      expect(cheat.predicted).toBeGreaterThanOrEqual(low);
      expect(cheat.predicted).toBeLessThanOrEqual(high);
    },
    60_000,
  );
});

const named = (name: string) => cheats.find((cheat) => cheat.name === name)!;

describe('what cheats gain', () => {
  it('is twice what is forged at most, where rows are collapsed', async () => {
    const { scored, forged } = await runOne(named('collapsed-rows'), 1);
    expect(scored?.operations).toBeGreaterThan(1 / (1 - 2 * forged!) - 0.01);
    expect(scored?.operations).toBeLessThan(1 / (1 - 2 * forged!));
  });

  it.each(['recomputed', 'from-host', 'from-disk'])(
    'is memory, paid for by more bandwidth, where memory is %s',
    async (where) => {
      const { scored } = await runOne(named(`less-memory-${where}`), 1);
      expect(scored?.memory).toBeCloseTo(1.1, 6);
      expect(scored?.bandwidth).toBeLessThan(0.2);
    },
  );

  it.each([
    ['two', 2],
    ['eight', 8],
  ])('is nothing for %s identities of one device', async (word, identities) => {
    const { scored } = await runOne(named(`one-device-for-${word}`), 1);
    expect((scored?.memory ?? 1) * identities).toBeLessThanOrEqual(1);
    // Whoever ends first had the device to itself for a little less than a pass of the others.
    expect((scored?.bandwidth ?? 1) * identities).toBeLessThan(1.2);
    expect((scored?.operations ?? 1) * identities).toBeLessThan(1.2);
  });
});

describe('runCheats', () => {
  it('gives the same rows for the same seed', async () => {
    const run = () => runOne(named('forged-entries-1-in-100'), 6);
    expect(await run()).toEqual(await run());
  });

  it('stops when asked', async () => {
    const request = { kernel, trials: 4, seed: 'test', signal: AbortSignal.abort() };
    await expect(runCheats(request)).rejects.toMatchObject({ code: 'CANCELLED' });
  });
});
