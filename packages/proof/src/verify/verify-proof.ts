import { LatentError, toLatentError } from '@latent/protocol';
import type { Kernel } from '../kernel.ts';
import { sameBytes } from '../spec/bytes.ts';
import { type PhaseName, phaseNames } from '../spec/phase.ts';
import type { Beacons } from '../spec/session.ts';
import { decodeOpening } from '../wire/opening.ts';
import {
  type Derived,
  decodeHeader,
  deriveFromHeader,
  HEADER_BYTES,
  type ProofHeader,
  planOf,
} from '../wire/proof-header.ts';
import { checkEntry, checkInput, openedSamples } from './check-sample.ts';
import { rebuildPhase } from './rebuild-phase.ts';

/** What a verifier knows of a proof before it sees it: what it asked, and what it was told in time. */
export interface Challenge {
  /** Number of the parameter set. */
  readonly set: number;
  /** 32 bytes. */
  readonly context: Uint8Array;
  readonly beacons: Beacons;
  /** Declared before the compute beacon. */
  readonly layers: number;
  /** Each received before the beacon after it. */
  readonly commitments: Readonly<Record<PhaseName, Uint8Array>>;
}

export interface VerifyOptions {
  /** Left out: the proof is checked against what it says of itself, which shows its work but not whose, or when. */
  readonly challenge?: Challenge;
  readonly signal?: AbortSignal;
  readonly onProgress?: (samplesDone: number, samples: number) => void;
}

export interface VerifiedProof {
  readonly header: ProofHeader;
  readonly derived: Derived;
}

/** Samples between two pauses, in which others may run and a stop is seen. */
const SAMPLES_AT_ONCE = 8;

/**
 * Checks a proof in the order of docs/proof.md §10. Work and memory are bounded by the parameter set, whatever the bytes.
 * @throws LatentError PROOF_TOO_LARGE, PROOF_MALFORMED, PROOF_MISMATCH, PROOF_WRONG_LENGTH, PROOF_BAD_OPENING,
 * PROOF_WRONG_INPUT, PROOF_WRONG_ENTRY; CANCELLED if stopped
 */
export async function verifyProof(
  kernel: Kernel,
  bytes: Uint8Array,
  options: VerifyOptions = {},
): Promise<VerifiedProof> {
  const header = decodeHeader(bytes);
  const derived = deriveFromHeader(kernel.hash, header);
  if (options.challenge !== undefined) checkAnswers(options.challenge, header, derived);

  const plans = {
    compute: planOf(kernel.hash, header, derived.root, 'compute'),
    bandwidth: planOf(kernel.hash, header, derived.root, 'bandwidth'),
  };
  const expected = HEADER_BYTES + plans.compute.bytes + plans.bandwidth.bytes;
  if (bytes.length !== expected) {
    throw new LatentError(
      'PROOF_WRONG_LENGTH',
      `The proof has ${bytes.length} bytes; its header makes it ${expected}.`,
      {
        details: { bytes: bytes.length, expected },
      },
    );
  }
  const bodies = {
    compute: bytes.subarray(HEADER_BYTES, HEADER_BYTES + plans.compute.bytes),
    bandwidth: bytes.subarray(HEADER_BYTES + plans.compute.bytes),
  };
  const openings = {
    compute: decodeOpening(header.parameters, plans.compute, bodies.compute),
    bandwidth: decodeOpening(header.parameters, plans.bandwidth, bodies.bandwidth),
  };
  const seeds = {
    compute: rebuildPhase(kernel.hash, header, derived, 'compute', plans.compute, openings.compute),
    bandwidth: rebuildPhase(kernel.hash, header, derived, 'bandwidth', plans.bandwidth, openings.bandwidth),
  };
  const samples = phaseNames.flatMap((name) =>
    openedSamples(header, derived, name, plans[name], openings[name], seeds[name]),
  );
  for (const sample of samples) checkInput(kernel, sample);
  for (const [done, sample] of samples.entries()) {
    if (done % SAMPLES_AT_ONCE === 0) {
      await pause(options.signal);
      options.onProgress?.(done, samples.length);
    }
    checkEntry(kernel, sample);
  }
  options.onProgress?.(samples.length, samples.length);
  return { header, derived };
}

function checkAnswers(challenge: Challenge, header: ProofHeader, derived: Derived): void {
  const differs = (what: string) => {
    throw new LatentError('PROOF_MISMATCH', `The proof is not for this challenge: its ${what} differs.`, {
      details: { what },
    });
  };
  if (header.parameters.number !== challenge.set) differs('parameter set');
  if (!sameBytes(header.context, challenge.context)) differs('context');
  for (const beacon of ['fill', 'compute', 'bandwidth', 'sample'] as const) {
    if (!sameBytes(header.beacons[beacon], challenge.beacons[beacon])) differs(`${beacon} beacon`);
  }
  if (header.layers !== challenge.layers) differs('number of layers');
  for (const name of phaseNames) {
    if (!sameBytes(derived.commitments[name], challenge.commitments[name])) differs(`commitment of the ${name} phase`);
  }
}

async function pause(signal: AbortSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => setTimeout(resolve));
  if (signal?.aborted) throw toLatentError(signal.reason);
}
