import { describe, expect, it } from 'vitest';
import { nobleHash } from '../spec/noble.ts';
import { MOST_PASSES, parameterSets } from '../spec/parameters.ts';
import { type PhaseName, phaseNames } from '../spec/phase.ts';
import { checkRanges } from '../wire/proof-header.ts';
import type { Engine } from './engine.ts';
import { createProver } from './prover.ts';
import { openReferenceEngine } from './reference/reference-engine.ts';

const never = new AbortController().signal;
const parameters = parameterSets.development;
const none = new Uint8Array(32);

/** A device whose passes take no time. */
const instant: Engine = {
  ...openReferenceEngine(),
  fill: async () => {},
  runPass: async ({ phase }) => new Uint8Array(32 * phase.rows),
};
/** Hashing is no part of what is tested, and 65,536 passes have a lot of it. */
const noHash = () => none;

describe('a phase', () => {
  const runUntil = async (name: PhaseName, enough: (passes: number) => boolean) => {
    const prover = createProver(instant, noHash);
    await prover.fill({ parameters, context: none, beacon: none, layers: 2, signal: never });
    return (await prover.runPhase({ name, beacon: none, enough, signal: never })).passes;
  };

  it.each(phaseNames)('of %s stops at the most passes that a proof may have, though it is not enough', async (name) => {
    const passes = await runUntil(name, (done) => done > MOST_PASSES);
    expect(passes).toBe(MOST_PASSES);
    expect(() => checkRanges(parameters, 2, { compute: 1, bandwidth: 1, [name]: passes })).not.toThrow();
  });

  it('has a pass at least, and no more than are enough', async () => {
    expect(await runUntil('compute', () => true)).toBe(1);
    expect(await runUntil('compute', (passes) => passes >= 3)).toBe(3);
  });
});

it('opens nothing before both phases have run', async () => {
  const prover = createProver(openReferenceEngine(), nobleHash);
  await expect(prover.open(none, never)).rejects.toMatchObject({ code: 'INTERNAL' });
});
