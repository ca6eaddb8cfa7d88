import { LatentError } from '@latent/protocol';
import { ABSENT, HASH_BYTES, type Hash, join } from '../spec/bytes.ts';
import { CHUNK_BYTES, CHUNK_VALUES, chunkDigests } from '../spec/digests.ts';
import type { Parameters } from '../spec/parameters.ts';
import { type PhaseName, phaseOf } from '../spec/phase.ts';
import { firstSeed, nextSeed, type Session, sessionId } from '../spec/session.ts';
import { type NodePlace, treeLevels, treeRoot } from '../spec/tree.ts';
import { encodeOpening, type OpenedSample } from '../wire/opening.ts';
import { deriveFromHeader, encodeHeader, type ProofHeader, planOf } from '../wire/proof-header.ts';
import type { Engine, ReopenedRow, ReopenRow } from './engine.ts';

/** What a prover says at the end of a phase. */
export interface PhaseDeclaration {
  readonly passes: number;
  /** 32 bytes. */
  readonly phaseRoot: Uint8Array;
}

export interface FillCall {
  readonly parameters: Parameters;
  /** 32 bytes. */
  readonly context: Uint8Array;
  /** 32 bytes. */
  readonly beacon: Uint8Array;
  /** A multiple of the lanes; left out: as many as fit. */
  readonly layers?: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (layersDone: number, layers: number) => void;
}

export interface PhaseCall {
  readonly name: PhaseName;
  /** 32 bytes. */
  readonly beacon: Uint8Array;
  /** Asked after every pass, with how many there are. */
  readonly enough: (passes: number) => boolean;
  readonly signal: AbortSignal;
  /** `share` of the pass that is running, 0 … 1. */
  readonly onProgress?: (passes: number, share: number) => void;
}

/**
 * The prover's side of a proof, in the order of its calls: fill, compute, bandwidth, open. The challenger may be in
 * another process, and is not trusted with anything: all it gives are beacons.
 */
export interface Prover {
  /** @returns the layers filled, which is what the prover declares */
  readonly fill: (call: FillCall) => Promise<number>;
  readonly runPhase: (call: PhaseCall) => Promise<PhaseDeclaration>;
  /** Opens what the beacon picks. @returns the proof's bytes */
  readonly open: (sampleBeacon: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>;
}

interface DonePhase extends PhaseDeclaration {
  readonly beacon: Uint8Array;
  /** Seed of each pass, and of the one that never ran. */
  readonly seeds: readonly Uint8Array[];
  /** Row roots of each pass, rows × 32 bytes. */
  readonly rowRoots: readonly Uint8Array[];
}

/** @param hash as the specification has it; a fast one matters little here */
export function createProver(engine: Engine, hash: Hash): Prover {
  let filled: { readonly session: Session; readonly context: Uint8Array; readonly beacon: Uint8Array } | undefined;
  const done = new Map<PhaseName, DonePhase>();

  function need<T>(value: T | undefined, what: string): T {
    if (value === undefined) throw new LatentError('INTERNAL', `The prover was called out of turn: ${what}.`);
    return value;
  }

  async function fill({ parameters, context, beacon, signal, onProgress, ...call }: FillCall): Promise<number> {
    const layers = call.layers ?? (await engine.fittingLayers(parameters));
    if (layers < parameters.lanes) {
      throw new LatentError(
        'DEVICE_OUT_OF_MEMORY',
        `Not even ${parameters.lanes} layers fit into the device's free memory.`,
        {
          hint: 'End what else uses the device, or use a smaller parameter set.',
        },
      );
    }
    const session = { parameters, layers, id: sessionId(hash, parameters, context, beacon) };
    done.clear();
    filled = { session, context, beacon };
    const request = { parameters, sessionId: session.id, layers, signal };
    await engine.fill({ ...request, onProgress: (layersDone) => onProgress?.(layersDone, layers) });
    return layers;
  }

  async function runPhase({ name, beacon, enough, signal, onProgress }: PhaseCall): Promise<PhaseDeclaration> {
    const { session } = need(filled, 'nothing is filled');
    const phase = phaseOf(session.parameters, name, session.layers);
    let seed = firstSeed(hash, session, phase, beacon);
    const seeds = [seed];
    const rowRoots: Uint8Array[] = [];
    do {
      const passes = rowRoots.length;
      const roots = await engine.runPass({
        phase,
        seed,
        signal,
        onProgress: (steps) => onProgress?.(passes, steps / phase.steps),
      });
      rowRoots.push(roots);
      seed = nextSeed(hash, seed, treeRoot(hash, hashesOf(roots)));
      seeds.push(seed);
      onProgress?.(rowRoots.length, 0);
    } while (!enough(rowRoots.length));
    const phaseRoot = treeRoot(hash, seeds.slice(1));
    done.set(name, { beacon, passes: rowRoots.length, phaseRoot, seeds, rowRoots });
    return { passes: rowRoots.length, phaseRoot };
  }

  async function open(sampleBeacon: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const { session, context, beacon } = need(filled, 'nothing is filled');
    const phases = {
      compute: need(done.get('compute'), 'no compute phase'),
      bandwidth: need(done.get('bandwidth'), 'no bandwidth phase'),
    };
    const { compute, bandwidth } = phases;
    const header: ProofHeader = {
      parameters: session.parameters,
      context,
      beacons: { fill: beacon, compute: compute.beacon, bandwidth: bandwidth.beacon, sample: sampleBeacon },
      layers: session.layers,
      passes: { compute: compute.passes, bandwidth: bandwidth.passes },
      phaseRoots: { compute: compute.phaseRoot, bandwidth: bandwidth.phaseRoot },
    };
    const { root } = deriveFromHeader(hash, header);
    const wanted = {
      compute: rowsOf(header, root, 'compute', compute),
      bandwidth: rowsOf(header, root, 'bandwidth', bandwidth),
    };
    const reopened = await engine.reopenRows([...wanted.compute, ...wanted.bandwidth], signal);
    const bodyOf = (name: PhaseName, rows: readonly ReopenRow[], opened: readonly ReopenedRow[]) =>
      encodePhase(hash, header, root, name, phases[name], rows, opened);
    return join(
      encodeHeader(header),
      bodyOf('compute', wanted.compute, reopened.slice(0, wanted.compute.length)),
      bodyOf('bandwidth', wanted.bandwidth, reopened.slice(wanted.compute.length)),
    );
  }

  /** The rows that samples name, each once, with the states that are opened. */
  function rowsOf(header: ProofHeader, root: Uint8Array, name: PhaseName, { seeds }: DonePhase): readonly ReopenRow[] {
    const phase = phaseOf(header.parameters, name, header.layers);
    const rows = new Map<string, { pass: number; row: number; states: Set<number> }>();
    for (const { pass, row, step } of planOf(hash, header, root, name).samples) {
      const entry = rows.get(`${pass} ${row}`) ?? { pass, row, states: new Set() };
      entry.states.add(step).add(step + 1);
      rows.set(`${pass} ${row}`, entry);
    }
    return [...rows.values()].map(({ pass, row, states }) => ({
      phase,
      seed: need(seeds[pass], 'a pass that never ran'),
      row,
      states: [...states].sort((a, b) => a - b),
    }));
  }

  return { fill, runPhase, open };
}

function encodePhase(
  hash: Hash,
  header: ProofHeader,
  root: Uint8Array,
  name: PhaseName,
  { seeds, rowRoots }: DonePhase,
  rows: readonly ReopenRow[],
  opened: readonly ReopenedRow[],
): Uint8Array {
  const phase = phaseOf(header.parameters, name, header.layers);
  const plan = planOf(hash, header, root, name);
  const rowsByPlace = new Map<
    string,
    { readonly states: ReadonlyMap<number, Uint8Array>; readonly levels: ReturnType<typeof treeLevels> }
  >();
  for (const [index, { seed, row, states }] of rows.entries()) {
    const { digests, states: shown } = opened[index] ?? missing();
    const byIndex = new Map(states.map((state, i) => [state, shown[i] ?? missing()]));
    rowsByPlace.set(`${seeds.indexOf(seed)} ${row}`, { states: byIndex, levels: treeLevels(hash, hashesOf(digests)) });
  }
  const passLevels = new Map(
    plan.passes.map((pass) => [pass, treeLevels(hash, hashesOf(rowRoots[pass] ?? missing()))]),
  );
  const depthOfRow = plan.depthWithin - Math.log2(phase.rows);

  const nodeWithin = ({ level, index }: NodePlace): Uint8Array => {
    if (level >= depthOfRow) {
      const perPass = phase.rows / 2 ** (level - depthOfRow);
      return passLevels.get(Math.floor(index / perPass))?.[level - depthOfRow]?.[index % perPass] ?? missing();
    }
    const perRow = 2 ** (depthOfRow - level);
    const row = Math.floor(index / perRow);
    const levels = rowsByPlace.get(`${Math.floor(row / phase.rows)} ${row % phase.rows}`)?.levels ?? missing();
    return levels[level]?.[index % perRow] ?? ABSENT;
  };
  const phaseLevels = treeLevels(hash, seeds.slice(1));
  const samples = plan.samples.map(({ pass, row, step, output }): OpenedSample => {
    const states = rowsByPlace.get(`${pass} ${row}`)?.states ?? missing();
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

function hashesOf(bytes: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, i) =>
    bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  );
}

function missing(): never {
  throw new LatentError('INTERNAL', 'The engine left out a part of what was to be opened.');
}
