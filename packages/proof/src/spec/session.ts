import { type Hash, join, word } from './bytes.ts';
import type { Parameters } from './parameters.ts';
import type { Phase, PhaseName } from './phase.ts';

/** The four random values of a proof, 32 bytes each, in the order in which they become known. */
export interface Beacons {
  readonly fill: Uint8Array;
  readonly compute: Uint8Array;
  readonly bandwidth: Uint8Array;
  readonly sample: Uint8Array;
}

/** What everything in a proof is derived from. Spec: docs/proof.md §3. */
export interface Session {
  readonly parameters: Parameters;
  /** 32 bytes, `session` of the specification. */
  readonly id: Uint8Array;
  readonly layers: number;
}

const encoder = new TextEncoder();

function tag(hash: Hash, name: string): Uint8Array {
  return hash(encoder.encode(`latent/proof/1/${name}`));
}

/** @param context 32 bytes: whose proof, and for what */
export function sessionId(hash: Hash, parameters: Parameters, context: Uint8Array, fillBeacon: Uint8Array): Uint8Array {
  return hash(join(tag(hash, 'session'), word(parameters.number), context, fillBeacon));
}

/** Seed of a phase's pass 0. */
export function firstSeed(hash: Hash, session: Session, phase: Phase, beacon: Uint8Array): Uint8Array {
  return hash(join(tag(hash, 'phase'), session.id, word(phase.number), word(session.layers), beacon));
}

/** Seed of the pass after this one, which is also this pass's leaf in the tree of its phase. */
export function nextSeed(hash: Hash, seed: Uint8Array, passRoot: Uint8Array): Uint8Array {
  return hash(join(seed, passRoot));
}

/** What a prover declares at the end of a phase. */
export function phaseCommitment(hash: Hash, seed0: Uint8Array, passes: number, phaseRoot: Uint8Array): Uint8Array {
  return hash(join(tag(hash, 'commitment'), seed0, word(passes), phaseRoot));
}

export function proofRoot(hash: Hash, commitments: Readonly<Record<PhaseName, Uint8Array>>): Uint8Array {
  return hash(join(tag(hash, 'root'), commitments.compute, commitments.bandwidth));
}

/** One entry of one state that has to be opened. Spec: docs/proof.md §8. */
export interface Sample {
  readonly pass: number;
  readonly row: number;
  /** The state before the entry; the entry is in state `step + 1`. */
  readonly step: number;
  readonly output: number;
}

/** The samples of a phase, in order. @param root the proof's root */
export function drawSamples(
  hash: Hash,
  parameters: Parameters,
  phase: Phase,
  passes: number,
  root: Uint8Array,
  sampleBeacon: Uint8Array,
): readonly Sample[] {
  const head = join(tag(hash, 'sample'), root, sampleBeacon, word(phase.number));
  return Array.from({ length: parameters.samples }, (_, index) => {
    const drawn = hash(join(head, word(index)));
    const view = new DataView(drawn.buffer, drawn.byteOffset, drawn.length);
    const below = (part: number, limit: number) => Number(view.getBigUint64(8 * part) % BigInt(limit));
    return {
      pass: below(0, passes),
      row: below(1, phase.rows),
      step: below(2, phase.steps),
      output: below(3, parameters.width),
    };
  });
}
