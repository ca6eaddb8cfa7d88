import fc from 'fast-check';
import { expect, it } from 'vitest';
import { join } from '../spec/bytes.ts';
import { stateDigest } from '../spec/digests.ts';
import { nobleHash } from '../spec/noble.ts';
import { parameterSets, rowBytes } from '../spec/parameters.ts';
import { type PhaseName, phaseNames, phaseOf } from '../spec/phase.ts';
import { firstSeed, nextSeed } from '../spec/session.ts';
import { treeRoot } from '../spec/tree.ts';
import { rebuildPhase } from '../verify/rebuild-phase.ts';
import { decodeOpening } from '../wire/opening.ts';
import { deriveFromHeader, type ProofHeader } from '../wire/proof-header.ts';
import { encodePhase, type KeptPhase, planPhase } from './encode-phase.ts';

const parameters = parameterSets.development;
const bytesOf = (text: string) => nobleHash(new TextEncoder().encode(text));
const none = new Uint8Array(32);

/** What any device could have computed: states of random bytes, each made when it is asked for. */
const stateAt = (pass: number, row: number, state: number) =>
  join(...Array.from({ length: rowBytes(parameters) / 32 }, (_, i) => bytesOf(`${pass} ${row} ${state} ${i}`)));

/** Runs a phase over such states, and commits to it. */
function commit(name: PhaseName, layers: number, passes: number) {
  const beacons = { fill: none, compute: none, bandwidth: none, sample: bytesOf('sample') };
  const base = { parameters, context: none, beacons, layers, phaseRoots: { compute: none, bandwidth: none } };
  const phase = phaseOf(parameters, name, layers);
  const { session } = deriveFromHeader(nobleHash, { ...base, passes: { compute: 1, bandwidth: 1 } });
  const seeds = [firstSeed(nobleHash, session, phase, none)];
  const digestsOf = (pass: number, row: number) =>
    Array.from({ length: phase.steps + 1 }, (_, state) => stateDigest(nobleHash, stateAt(pass, row, state)));
  const rowRoots = Array.from({ length: passes }, (_, pass) => {
    const roots = Array.from({ length: phase.rows }, (__, row) => treeRoot(nobleHash, digestsOf(pass, row)));
    seeds.push(nextSeed(nobleHash, seeds[pass]!, treeRoot(nobleHash, roots)));
    return join(...roots);
  });
  const phaseRoots = { ...base.phaseRoots, [name]: treeRoot(nobleHash, seeds.slice(1)) };
  const header: ProofHeader = { ...base, phaseRoots, passes: { compute: 1, bandwidth: 1, [name]: passes } };
  return { header, kept: { seeds, rowRoots } satisfies KeptPhase, digestsOf };
}

it('opens a phase so that its root is rebuilt, whatever its depth and its passes', () => {
  const shapes = fc.record({
    name: fc.constantFrom(...phaseNames),
    layers: fc.integer({ min: 1, max: 5 }).map((half) => 2 * half),
    passes: fc.integer({ min: 1, max: 5 }),
  });
  fc.assert(
    fc.property(shapes, ({ name, layers, passes }) => {
      const { header, kept, digestsOf } = commit(name, layers, passes);
      const derived = deriveFromHeader(nobleHash, header);
      const planned = planPhase(nobleHash, header, derived.root, name, kept);
      const bytes = encodePhase(
        nobleHash,
        planned,
        planned.rows.map(({ pass, row, states }) => ({
          digests: join(...digestsOf(pass, row)),
          states: states.map((state) => stateAt(pass, row, state)),
        })),
      );
      expect(bytes.length).toBe(planned.plan.bytes);
      const opening = decodeOpening(parameters, planned.plan, bytes);
      const seeds = rebuildPhase(nobleHash, header, derived, name, planned.plan, opening);
      for (const [pass, seed] of seeds) expect(seed).toEqual(kept.seeds[pass]);
    }),
    { numRuns: 8 },
  );
});

it('plans each row once, with its pass, its seed, and the states around each of its samples in order', () => {
  const { header, kept } = commit('bandwidth', 4, 3);
  const { plan, rows } = planPhase(nobleHash, header, deriveFromHeader(nobleHash, header).root, 'bandwidth', kept);
  // 160 samples meet all of 3 × 4 rows.
  expect(new Set(rows.map(({ pass, row }) => `${pass} ${row}`)).size).toBe(12);
  expect(rows.length).toBe(12);
  for (const { pass, row, seed, states } of rows) {
    const steps = plan.samples.filter((sample) => sample.pass === pass && sample.row === row).map(({ step }) => step);
    expect(states).toEqual([...new Set(steps.flatMap((step) => [step, step + 1]))].toSorted((a, b) => a - b));
    expect(seed).toBe(kept.seeds[pass]);
  }
});

it('tells passes apart by their number, even if their seeds are the same', () => {
  const { header, kept } = commit('bandwidth', 4, 3);
  const [seed] = kept.seeds;
  const same = { ...kept, seeds: kept.seeds.map(() => seed!) };
  const { root } = deriveFromHeader(nobleHash, header);
  const planned = planPhase(nobleHash, header, root, 'bandwidth', same);
  const reopened = planned.rows.map(({ states }) => ({
    digests: new Uint8Array(32 * 3),
    states: states.map(() => new Uint8Array(rowBytes(parameters))),
  }));
  expect(encodePhase(nobleHash, planned, reopened).length).toBe(planned.plan.bytes);
});

it('takes no phase for opened of which the engine left rows out', () => {
  const { header, kept } = commit('bandwidth', 2, 1);
  const planned = planPhase(nobleHash, header, deriveFromHeader(nobleHash, header).root, 'bandwidth', kept);
  expect(() => encodePhase(nobleHash, planned, [])).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
});
