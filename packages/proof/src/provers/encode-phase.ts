import { LatentError } from '@latent/protocol';
import { ABSENT, type Hash, hashesIn } from '../spec/bytes.ts';
import { CHUNK_BYTES, CHUNK_VALUES, chunkDigests } from '../spec/digests.ts';
import { type Phase, type PhaseName, phaseOf } from '../spec/phase.ts';
import { type NodePlace, treeDepth, treeLevels } from '../spec/tree.ts';
import { encodeOpening, type OpenedSample } from '../wire/opening.ts';
import type { OpeningPlan } from '../wire/opening-plan.ts';
import { type ProofHeader, planOf } from '../wire/proof-header.ts';
import type { ReopenedRow, ReopenRow } from './engine.ts';

/** What a prover keeps of a phase until it is opened. */
export interface KeptPhase {
  /** Seed of each pass, and of the one that never ran. */
  readonly seeds: readonly Uint8Array[];
  /** Row roots of each pass, rows × 32 bytes. */
  readonly rowRoots: readonly Uint8Array[];
}

/** A row that samples name. */
interface NamedRow extends ReopenRow {
  readonly pass: number;
}

/** A phase that is to be opened, and the rows that have to be run again for it. */
export interface PlannedPhase extends KeptPhase {
  readonly phase: Phase;
  readonly plan: OpeningPlan;
  /** Each once, with the states that are opened. */
  readonly rows: readonly NamedRow[];
}

/** @param root the proof's root, which the samples follow from */
export function planPhase(
  hash: Hash,
  header: ProofHeader,
  root: Uint8Array,
  name: PhaseName,
  { seeds, rowRoots }: KeptPhase,
): PlannedPhase {
  const phase = phaseOf(header.parameters, name, header.layers);
  const plan = planOf(hash, header, root, name);
  const named = new Map<number, { readonly pass: number; readonly row: number; readonly states: Set<number> }>();
  for (const { pass, row, step } of plan.samples) {
    const place = placeOf(phase, pass, row);
    const entry = named.get(place) ?? { pass, row, states: new Set() };
    entry.states.add(step).add(step + 1);
    named.set(place, entry);
  }
  const rows = Array.from(named.values(), ({ pass, row, states }) => ({
    ...{ phase, pass, row, seed: seeds[pass] ?? missing() },
    states: [...states].sort((a, b) => a - b),
  }));
  return { phase, plan, rows, seeds, rowRoots };
}

/** @param reopened one for each of the planned rows, in their order. @returns the phase's part of a proof */
export function encodePhase(
  hash: Hash,
  { phase, plan, rows, seeds, rowRoots }: PlannedPhase,
  reopened: readonly ReopenedRow[],
): Uint8Array {
  const opened = new Map(
    rows.map(({ pass, row, states }, index) => {
      const { digests, states: shown } = reopened[index] ?? missing();
      const byIndex = new Map(states.map((state, i) => [state, shown[i] ?? missing()]));
      return [placeOf(phase, pass, row), { states: byIndex, levels: treeLevels(hash, hashesIn(digests)) }];
    }),
  );
  const passLevels = new Map(
    plan.passes.map((pass) => [pass, treeLevels(hash, hashesIn(rowRoots[pass] ?? missing()))]),
  );
  const phaseLevels = treeLevels(hash, seeds.slice(1));
  const rowDepth = treeDepth(phase.steps + 1);

  const nodeWithin = ({ level, index }: NodePlace): Uint8Array => {
    if (level < rowDepth) {
      const perRow = 2 ** (rowDepth - level);
      return opened.get(Math.floor(index / perRow))?.levels[level]?.[index % perRow] ?? ABSENT;
    }
    const perPass = phase.rows / 2 ** (level - rowDepth);
    return passLevels.get(Math.floor(index / perPass))?.[level - rowDepth]?.[index % perPass] ?? missing();
  };
  const samples = plan.samples.map(({ pass, row, step, output }): OpenedSample => {
    const { states } = opened.get(placeOf(phase, pass, row)) ?? missing();
    const [state, next] = [states.get(step) ?? missing(), states.get(step + 1) ?? missing()];
    const place = Math.floor(output / CHUNK_VALUES);
    const chunk = next.subarray(place * CHUNK_BYTES, (place + 1) * CHUNK_BYTES);
    return { state, chunk, otherChunks: chunkDigests(hash, next).filter((_, i) => i !== place) };
  });
  return encodeOpening({
    samples,
    seeds: plan.seededPasses.map((pass) => seeds[pass] ?? missing()),
    siblingsWithin: plan.siblingsWithin.map(nodeWithin),
    siblingsAbove: plan.siblingsAbove.map(({ level, index }) => phaseLevels[level]?.[index] ?? ABSENT),
  });
}

/** Index of a row among those of its phase. */
function placeOf({ rows }: Phase, pass: number, row: number): number {
  return pass * rows + row;
}

function missing(): never {
  throw new LatentError('INTERNAL', 'The engine left out a part of what was to be opened.');
}
