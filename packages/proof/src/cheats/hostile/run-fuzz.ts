import { LatentError } from '@latent/protocol';
import { MOST_RECORD_CHARACTERS, parseRecord } from '../../challenge/proof-record.ts';
import type { Kernel } from '../../kernel.ts';
import { type Challenge, verifyProof } from '../../verify/verify-proof.ts';
import { decodeHeader, deriveFromHeader, MOST_PROOF_BYTES } from '../../wire/proof-header.ts';
import { modelOf, proverWith, rehearse, setStage } from '../stage/stage.ts';
import { createDice } from './dice.ts';
import { hostileProof } from './hostile-proofs.ts';
import { hostileRecord, rightRecord } from './hostile-records.ts';

/** What hostile inputs came to. Plain JSON. */
export interface FuzzResult {
  readonly inputs: number;
  /** How often each code refused one. */
  readonly codes: Readonly<Record<string, number>>;
  /** Inputs that were taken, by how they were made: there should be none. */
  readonly taken: readonly string[];
  /** Anything thrown that is no refusal, by how it was made: there should be none. */
  readonly crashes: readonly string[];
  /** The most keccaks, and sums of samples, that any input cost. */
  readonly mostHashes: number;
  readonly mostSums: number;
  readonly longestMs: number;
}

export interface FuzzOptions {
  readonly kernel: Kernel;
  readonly inputs: number;
  readonly seed: number;
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
  readonly onProgress?: (done: number, inputs: number) => void;
}

/** Inputs between two pauses. */
const AT_ONCE = 64;

/**
 * Verifies hostile bytes, every other time against the challenge that the right proof answers.
 * @throws LatentError CANCELLED
 */
export async function fuzzVerifying(options: FuzzOptions): Promise<FuzzResult> {
  const { kernel, signal } = options;
  const work = { hashes: 0, sums: 0 };
  const counted: Kernel = {
    hash: (bytes) => {
      work.hashes++;
      return kernel.hash(bytes);
    },
    accumulate: (...call) => {
      work.sums++;
      return kernel.accumulate(...call);
    },
  };
  const proofs = [await rightProof(kernel, 'one', signal), await rightProof(kernel, 'other', signal)] as const;
  const challenge = challengeOf(kernel, proofs[0]);
  const dice = createDice(options.seed);
  return fuzz(options, work, async (index) => {
    const { kind, bytes } = hostileProof(dice, proofs);
    return { kind, run: () => verifyProof(counted, bytes, index % 2 === 0 ? { challenge } : {}) };
  });
}

/**
 * Reads hostile text as records. One whose bytes are well-formed is no crash: what it holds is checked to be in bounds.
 * @throws LatentError CANCELLED
 */
export async function fuzzRecords(options: FuzzOptions): Promise<FuzzResult> {
  const right = rightRecord(await rightProof(options.kernel, 'one', options.signal));
  const dice = createDice(options.seed);
  return fuzz(options, { hashes: 0, sums: 0 }, async () => {
    const text = hostileRecord(dice, right);
    return {
      kind: `${text.length} characters`,
      run: async () => {
        const record = parseRecord(text);
        const bounded = record.proof.length <= 2 * MOST_PROOF_BYTES && text.length <= MOST_RECORD_CHARACTERS;
        if (!bounded) throw new RangeError('a record out of bounds');
        throw new LatentError('PROOF_MISMATCH', 'A record that could be read: its proof is verified elsewhere.');
      },
    };
  });
}

interface Input {
  readonly kind: string;
  readonly run: () => Promise<unknown>;
}

async function fuzz(
  { inputs, nowMs, signal, onProgress }: FuzzOptions,
  work: { hashes: number; sums: number },
  make: (index: number) => Promise<Input>,
): Promise<FuzzResult> {
  const codes: Record<string, number> = {};
  const [taken, crashes]: [string[], string[]] = [[], []];
  const most = { hashes: 0, sums: 0, ms: 0 };
  for (let index = 0; index < inputs; index++) {
    if (index % AT_ONCE === 0) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
      onProgress?.(index, inputs);
    }
    const { kind, run } = await make(index);
    Object.assign(work, { hashes: 0, sums: 0 });
    const startedMs = nowMs();
    const thrown = await run().then(
      () => undefined,
      (error: unknown) => error,
    );
    most.ms = Math.max(most.ms, nowMs() - startedMs);
    most.hashes = Math.max(most.hashes, work.hashes);
    most.sums = Math.max(most.sums, work.sums);
    if (thrown === undefined) taken.push(kind);
    else if (thrown instanceof LatentError && thrown.code.startsWith('PROOF_')) {
      codes[thrown.code] = (codes[thrown.code] ?? 0) + 1;
    } else crashes.push(`${kind}: ${String(thrown)}`);
  }
  return { inputs, codes, taken, crashes, mostHashes: most.hashes, mostSums: most.sums, longestMs: most.ms };
}

async function rightProof(kernel: Kernel, seed: string, signal: AbortSignal): Promise<Uint8Array> {
  const stage = setStage({ kernel, readToMake: 1, seed: `fuzz/${seed}`, signal });
  const attempt = await rehearse(stage, {
    prover: (clock) => proverWith(stage, clock, {}, modelOf(stage)).prover,
    asked: { layers: 4 },
  });
  const { proof, verdict } = await attempt.trial(0);
  if (proof === undefined || verdict.outcome !== 'proven') throw new LatentError('INTERNAL', 'No right proof.');
  return proof;
}

function challengeOf(kernel: Kernel, proof: Uint8Array): Challenge {
  const { parameters, context, beacons, layers, ...header } = decodeHeader(proof);
  const { commitments } = deriveFromHeader(kernel.hash, { parameters, context, beacons, layers, ...header });
  return { set: parameters.number, context, beacons, layers, commitments };
}
