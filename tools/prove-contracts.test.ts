import { describe, expect, it } from 'vitest';
import { findSolver, proveContracts } from './prove-contracts.ts';

const z3 = findSolver() ?? '';

describe.skipIf(z3 === '')('proveContracts (skipped where there is no z3)', () => {
  it('proves every theorem about the metering', { timeout: 120_000 }, async () => {
    const { theorems, safe, open } = await proveContracts(z3);
    expect(open).toEqual([]);
    expect(theorems.length).toBeGreaterThanOrEqual(11);
    expect(safe).toBeGreaterThan(theorems.length);
  });

  const breaks = [
    ['a charge that is rounded up', 'return units * rate / RATE_SCALE;', 'return units * rate / RATE_SCALE + 1;'],
    [
      'a deposit that is rounded down',
      '(devices * rate * maxSeconds + RATE_SCALE - 1)',
      '(devices * rate * maxSeconds)',
    ],
    ['a stop that is forgotten', 'stopAt != 0 && stopAt < timestamp ? stopAt : timestamp', 'timestamp'],
    ['a clock without end', 'return clock < end ? clock : end;', 'return clock;'],
    ['a start that is forgotten', 'accrueFrom > openedAt ? accrueFrom : openedAt', 'openedAt'],
    ['a cap that is forgotten', 'return units < cap ? units : cap;', 'return units;'],
    ['a fee of two', 'charge * feeBps / BASIS_POINTS', '2 * charge * feeBps / BASIS_POINTS'],
  ] as const;
  it.each(breaks)('finds %s', { timeout: 300_000 }, async (_what, before, after) => {
    const seen: boolean[] = [];
    const { open } = await proveContracts(z3, (source, path) => {
      if (!path.startsWith('src/')) return source;
      seen.push(source.includes(before));
      return source.replace(before, after);
    });
    expect(seen).toContain(true);
    expect(open).not.toEqual([]);
  });
});
