import { LatentError } from '@latent/protocol';
import type { Hash } from '../spec/bytes.ts';
import { HASH_BYTES, join } from '../spec/bytes.ts';
import { MOST_LAYERS, MOST_PASSES, type Parameters, parametersOfNumber } from '../spec/parameters.ts';
import { type PhaseName, phaseNames, phaseOf } from '../spec/phase.ts';
import {
  type Beacons,
  drawSamples,
  firstSeed,
  phaseCommitment,
  proofRoot,
  type Session,
  sessionId,
} from '../spec/session.ts';
import { type OpeningPlan, planOpening } from './opening-plan.ts';

/** The part of a proof that everything else follows from. Spec: docs/proof.md §9. */
export interface ProofHeader {
  readonly parameters: Parameters;
  /** 32 bytes. */
  readonly context: Uint8Array;
  readonly beacons: Beacons;
  readonly layers: number;
  readonly passes: Readonly<Record<PhaseName, number>>;
  readonly phaseRoots: Readonly<Record<PhaseName, Uint8Array>>;
}

const MAGIC = Uint8Array.of(0x4c, 0x50, 0x46, 0x31);

export const HEADER_BYTES = MAGIC.length + 1 + 5 * HASH_BYTES + 3 * 4 + 2 * HASH_BYTES;

/** Longer than any proof of any set can be: bytes beyond are not read. */
export const MOST_PROOF_BYTES = 2 ** 20;

export function encodeHeader(header: ProofHeader): Uint8Array {
  const { parameters, context, beacons, layers, passes, phaseRoots } = header;
  const numbers = new Uint8Array(12);
  const view = new DataView(numbers.buffer);
  view.setUint32(0, layers);
  view.setUint32(4, passes.compute);
  view.setUint32(8, passes.bandwidth);
  return join(
    MAGIC,
    Uint8Array.of(parameters.number),
    context,
    beacons.fill,
    beacons.compute,
    beacons.bandwidth,
    beacons.sample,
    numbers,
    phaseRoots.compute,
    phaseRoots.bandwidth,
  );
}

/**
 * @param bytes a proof, or at least its header
 * @throws LatentError PROOF_TOO_LARGE, PROOF_MALFORMED
 */
export function decodeHeader(bytes: Uint8Array): ProofHeader {
  if (bytes.length > MOST_PROOF_BYTES) {
    throw new LatentError(
      'PROOF_TOO_LARGE',
      `The proof has ${bytes.length} bytes; no proof has over ${MOST_PROOF_BYTES}.`,
      {
        details: { bytes: bytes.length, most: MOST_PROOF_BYTES },
      },
    );
  }
  if (bytes.length < HEADER_BYTES)
    throw malformed(`it has ${bytes.length} bytes, and a header alone has ${HEADER_BYTES}`);
  if (MAGIC.some((byte, index) => bytes[index] !== byte)) throw malformed('it does not begin with LPF1');
  const number = bytes[MAGIC.length] ?? 0;
  const parameters = parametersOfNumber(number);
  if (parameters === undefined) throw malformed(`there is no parameter set ${number}`);

  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const hashAt = (offset: number) => bytes.slice(offset, offset + HASH_BYTES);
  const hashes = Array.from({ length: 5 }, (_, i) => hashAt(MAGIC.length + 1 + i * HASH_BYTES));
  const [context, fill, compute, bandwidth, sample] = hashes;
  if (!context || !fill || !compute || !bandwidth || !sample) throw malformed('its header is cut');
  const offset = MAGIC.length + 1 + hashes.length * HASH_BYTES;
  const [layers, computePasses, bandwidthPasses] = [
    view.getUint32(offset),
    view.getUint32(offset + 4),
    view.getUint32(offset + 8),
  ];
  checkRanges(parameters, layers, { compute: computePasses, bandwidth: bandwidthPasses });
  return {
    parameters,
    context,
    beacons: { fill, compute, bandwidth, sample },
    layers,
    passes: { compute: computePasses, bandwidth: bandwidthPasses },
    phaseRoots: { compute: hashAt(offset + 12), bandwidth: hashAt(offset + 12 + HASH_BYTES) },
  };
}

/** @throws LatentError PROOF_MALFORMED */
export function checkRanges({ lanes }: Parameters, layers: number, passes: Readonly<Record<PhaseName, number>>): void {
  if (!isIn(layers, lanes, MOST_LAYERS) || layers % lanes !== 0) {
    throw malformed(`${layers} layers are not a multiple of ${lanes} up to ${MOST_LAYERS}`);
  }
  for (const name of phaseNames) {
    if (!isIn(passes[name], 1, MOST_PASSES)) throw malformed(`${passes[name]} ${name} passes are out of range`);
  }
}

function isIn(x: number, least: number, most: number): boolean {
  return Number.isInteger(x) && x >= least && x <= most;
}

/** What a header commits to. */
export interface Derived {
  readonly session: Session;
  readonly seeds: Readonly<Record<PhaseName, Uint8Array>>;
  readonly commitments: Readonly<Record<PhaseName, Uint8Array>>;
  readonly root: Uint8Array;
}

export function deriveFromHeader(hash: Hash, header: ProofHeader): Derived {
  const { parameters, context, beacons, layers, passes, phaseRoots } = header;
  const session = { parameters, id: sessionId(hash, parameters, context, beacons.fill), layers };
  const seedOf = (name: PhaseName) => firstSeed(hash, session, phaseOf(parameters, name, layers), beacons[name]);
  const seeds = { compute: seedOf('compute'), bandwidth: seedOf('bandwidth') };
  const commitmentOf = (name: PhaseName) => phaseCommitment(hash, seeds[name], passes[name], phaseRoots[name]);
  const commitments = { compute: commitmentOf('compute'), bandwidth: commitmentOf('bandwidth') };
  return { session, seeds, commitments, root: proofRoot(hash, commitments) };
}

/** What a proof with this header has to open in one of its phases. */
export function planOf(hash: Hash, header: ProofHeader, root: Uint8Array, name: PhaseName): OpeningPlan {
  const { parameters, layers, passes, beacons } = header;
  const phase = phaseOf(parameters, name, layers);
  const samples = drawSamples(hash, parameters, phase, passes[name], root, beacons.sample);
  return planOpening(parameters, phase, passes[name], samples);
}

function malformed(why: string): LatentError {
  return new LatentError('PROOF_MALFORMED', `This is no proof: ${why}.`, {
    hint: 'Ask for the file again; it may have been cut or altered on the way.',
  });
}
