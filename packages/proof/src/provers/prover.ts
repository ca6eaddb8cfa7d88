import { LatentError } from '@latent/protocol';
import { type Hash, hashesIn, join } from '../spec/bytes.ts';
import { MOST_PASSES, type Parameters } from '../spec/parameters.ts';
import { type PhaseName, phaseOf } from '../spec/phase.ts';
import { firstSeed, nextSeed, type Session, sessionId } from '../spec/session.ts';
import { treeRoot } from '../spec/tree.ts';
import { deriveFromHeader, encodeHeader, type ProofHeader } from '../wire/proof-header.ts';
import { encodePhase, type KeptPhase, planPhase } from './encode-phase.ts';
import type { Engine } from './engine.ts';

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
  /** Asked after every pass, with how many there are. A phase ends at the most passes of a proof, whatever it says. */
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

interface DonePhase extends PhaseDeclaration, KeptPhase {
  readonly beacon: Uint8Array;
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
      seed = nextSeed(hash, seed, treeRoot(hash, hashesIn(roots)));
      seeds.push(seed);
      onProgress?.(rowRoots.length, 0);
    } while (rowRoots.length < MOST_PASSES && !enough(rowRoots.length));
    const phaseRoot = treeRoot(hash, seeds.slice(1));
    done.set(name, { beacon, passes: rowRoots.length, phaseRoot, seeds, rowRoots });
    return { passes: rowRoots.length, phaseRoot };
  }

  async function open(sampleBeacon: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const { session, context, beacon } = need(filled, 'nothing is filled');
    const compute = need(done.get('compute'), 'no compute phase');
    const bandwidth = need(done.get('bandwidth'), 'no bandwidth phase');
    const header: ProofHeader = {
      parameters: session.parameters,
      context,
      beacons: { fill: beacon, compute: compute.beacon, bandwidth: bandwidth.beacon, sample: sampleBeacon },
      layers: session.layers,
      passes: { compute: compute.passes, bandwidth: bandwidth.passes },
      phaseRoots: { compute: compute.phaseRoot, bandwidth: bandwidth.phaseRoot },
    };
    const { root } = deriveFromHeader(hash, header);
    const planned = {
      compute: planPhase(hash, header, root, 'compute', compute),
      bandwidth: planPhase(hash, header, root, 'bandwidth', bandwidth),
    };
    const reopened = await engine.reopenRows([...planned.compute.rows, ...planned.bandwidth.rows], signal);
    return join(
      encodeHeader(header),
      encodePhase(hash, planned.compute, reopened.slice(0, planned.compute.rows.length)),
      encodePhase(hash, planned.bandwidth, reopened.slice(planned.compute.rows.length)),
    );
  }

  return { fill, runPhase, open };
}
