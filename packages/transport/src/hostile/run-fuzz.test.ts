import { describe, expect, test } from 'vitest';
import type { FuzzTarget } from './fuzz-target.ts';
import { fuzz, listFuzzTargets } from './run-fuzz.ts';

const targets = await listFuzzTargets();
/** In all of them together; the benchmark `transport-fuzz` feeds a million. */
const PART = 1 / 10;

describe('hostile bytes', () => {
  test.each(targets.map((target) => [target.name, target] as const))(
    'crash nothing, and are taken within bounds: %s',
    async (_name, target) => {
      const inputs = Math.ceil(target.share * PART);
      const result = await fuzz(target, { inputs, seed: 1, nowMs: () => performance.now() });
      expect(result.crashes).toEqual([]);
      expect(result.taken + result.refused + result.ended).toBe(inputs);
      // Where nothing got in, or nothing was kept out, nothing was tried.
      expect(result.taken).toBeGreaterThan(inputs / 100);
      expect(result.refused + result.ended).toBeGreaterThan(inputs / 100);
    },
  );

  test('have a share each, of a million together', () => {
    expect(targets.reduce((sum, { share }) => sum + share, 0)).toBe(1_000_000);
  });

  test('that crash something are told, with what was thrown', async () => {
    const fragile: FuzzTarget = {
      name: 'fragile',
      samples: [Uint8Array.of(1, 2, 3)],
      share: 1,
      open: () => ({
        feed: (input) => {
          if (input[1] === 0) throw new TypeError('a zero');
          return 'taken';
        },
      }),
    };
    const { crashes } = await fuzz(fragile, { inputs: 2_000, seed: 1, nowMs: () => 0 });
    expect(crashes).toHaveLength(10);
    expect(crashes[0]).toMatch(/^TypeError: a zero at [0-9a-f]{2}00/);
  });

  test('are the same for the same seed', async () => {
    const seen: string[][] = [];
    const recording = (into: string[]): FuzzTarget => ({
      name: 'recording',
      samples: [Uint8Array.of(1, 2, 3), Uint8Array.of(4, 5)],
      share: 1,
      open: () => ({
        feed: (input) => {
          into.push(Buffer.from(input).toString('hex'));
          return 'taken';
        },
      }),
    });
    for (const seed of [1, 1, 2]) {
      const into: string[] = [];
      await fuzz(recording(into), { inputs: 500, seed, nowMs: () => 0 });
      seen.push(into);
    }
    expect(seen[0]).toEqual(seen[1]);
    expect(seen[0]).not.toEqual(seen[2]);
  });
});
