import { type ErrorCode, LatentError, toLatentError } from '@latent/protocol';
import type { Kernel } from '../kernel.ts';
import type { PhaseDeclaration, Prover } from '../provers/prover.ts';
import { HASH_BYTES } from '../spec/bytes.ts';
import type { Parameters } from '../spec/parameters.ts';
import { type PhaseName, phaseOf } from '../spec/phase.ts';
import { firstSeed, phaseCommitment, sessionId } from '../spec/session.ts';
import { verifyProof } from '../verify/verify-proof.ts';
import { checkRanges, type ProofHeader } from '../wire/proof-header.ts';
import { answerWithin } from './answer-within.ts';
import type { PhaseTimesMs } from './rates.ts';
import { leastMs, scoreProof, type Verdict } from './verdict.ts';

/** What a challenger draws from: 32 bytes that nobody could know before the call. The time that it takes counts against the prover. */
export type DrawBeacon = (which: 'fill' | PhaseName | 'sample') => Promise<Uint8Array>;

/** Progress of a challenge: what runs, and how far it is, 0 … 1. */
export interface ChallengeProgress {
  readonly part: 'fill' | PhaseName | 'open' | 'verify';
  readonly share: number;
}

export interface ChallengeRequest {
  readonly prover: Prover;
  readonly kernel: Kernel;
  readonly parameters: Parameters;
  /** 32 bytes. */
  readonly context: Uint8Array;
  readonly drawBeacon: DrawBeacon;
  /** The observer's clock: milliseconds that never run backwards. */
  readonly nowMs: () => number;
  /** Left out: as many as fit. */
  readonly layers?: number;
  /** Phases go on for at least so long; never less than what is scored. */
  readonly phaseMs?: PhaseTimesMs;
  /** For each declaration: filling, and each phase. A prover that is later is not measured. */
  readonly declareWithinMs?: number;
  /** From the sample beacon to the proof's receipt. A prover that is later has failed. */
  readonly openWithinMs?: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: ChallengeProgress) => void;
}

export interface ChallengeResult {
  readonly verdict: Verdict;
  /** There if a proof was received, right or wrong. */
  readonly proof?: Uint8Array;
  /** There if all phases were declared. */
  readonly times?: PhaseTimesMs;
  readonly header?: ProofHeader;
}

const DECLARE_WITHIN_MS = 3_600_000;
const OPEN_WITHIN_MS = 120_000;

/** Phases go on a little longer than what is scored, so that rounding does not undo them. */
const MARGIN_MS = 50;

/**
 * Challenges a prover: publishes each beacon after what must come before it, notes the times, verifies what it is given.
 * Never throws for what a prover or a device does: that is the verdict. Rejects with CANCELLED if stopped.
 */
export async function runChallenge(request: ChallengeRequest): Promise<ChallengeResult> {
  const { prover, kernel, parameters, context, signal, onProgress } = request;
  const { declareWithinMs = DECLARE_WITHIN_MS, openWithinMs = OPEN_WITHIN_MS } = request;
  const told = (part: ChallengeProgress['part'], share: number) => onProgress?.({ part, share });
  const times: Record<PhaseName, number> = { compute: 0, bandwidth: 0 };
  try {
    const fill = await request.drawBeacon('fill');
    const layers = await answerWithin(declareWithinMs, signal, (stop) =>
      prover.fill({
        ...{ parameters, context, beacon: fill, signal: stop },
        ...(request.layers === undefined ? {} : { layers: request.layers }),
        onProgress: (done, all) => told('fill', done / all),
      }),
    );
    checkRanges(parameters, layers, { compute: 1, bandwidth: 1 });
    const session = { parameters, layers, id: sessionId(kernel.hash, parameters, context, fill) };
    const runPhase = async (name: PhaseName) => {
      // Before the draw: a beacon of others may be out before this process has it.
      const startedMs = request.nowMs();
      const beacon = await request.drawBeacon(name);
      const declared = await answerWithin(declareWithinMs, signal, (stop) =>
        declare(request, name, beacon, startedMs, stop),
      );
      times[name] = request.nowMs() - startedMs;
      checkRanges(parameters, layers, { compute: 1, bandwidth: 1, [name]: declared.passes });
      if (declared.phaseRoot.length !== HASH_BYTES)
        throw new LatentError('PROOF_MALFORMED', 'A commitment has 32 bytes.');
      const seed = firstSeed(kernel.hash, session, phaseOf(parameters, name, layers), beacon);
      return { beacon, commitment: phaseCommitment(kernel.hash, seed, declared.passes, declared.phaseRoot) };
    };
    const compute = await runPhase('compute');
    const bandwidth = await runPhase('bandwidth');
    const sample = await request.drawBeacon('sample');
    const askedMs = request.nowMs();
    told('open', 0);
    const proof = await answerWithin(openWithinMs, signal, (stop) => prover.open(sample, stop)).catch(
      (thrown: unknown) => withheld(thrown, signal),
    );
    if (!(proof instanceof Uint8Array)) throw new LatentError('PROOF_MALFORMED', 'What the prover opened is no bytes.');
    const tookMs = request.nowMs() - askedMs;
    const challenge = {
      set: parameters.number,
      context,
      layers,
      beacons: { fill, compute: compute.beacon, bandwidth: bandwidth.beacon, sample },
      commitments: { compute: compute.commitment, bandwidth: bandwidth.commitment },
    };
    try {
      if (tookMs > openWithinMs) {
        throw new LatentError('PROOF_LATE', `The proof came ${Math.floor(tookMs)} ms after the samples were known.`);
      }
      const progress = (done: number, all: number) => told('verify', done / all);
      const { header } = await verifyProof(kernel, proof, { challenge, signal, onProgress: progress });
      return { verdict: scoreProof(header, times), proof, times, header };
    } catch (error) {
      return { verdict: verdictOf(error, signal), proof, times };
    }
  } catch (error) {
    return { verdict: verdictOf(error, signal) };
  }
}

/**
 * Once the samples are known, silence is failure, whatever its reason: a device that vanished then cannot be told from a
 * prover that did not like its samples.
 */
function withheld(thrown: unknown, signal: AbortSignal): never {
  const cause = toLatentError(thrown);
  if (signal.aborted) throw cause;
  throw new LatentError('PROOF_LATE', `The prover did not open what it committed to: ${cause.message}`, { cause });
}

/** Lets the prover run passes until the phase has taken long enough by the observer's clock. */
async function declare(
  { prover, parameters, phaseMs, nowMs, onProgress }: ChallengeRequest,
  name: PhaseName,
  beacon: Uint8Array,
  startedMs: number,
  signal: AbortSignal,
): Promise<PhaseDeclaration> {
  const least = leastMs(parameters)[name];
  const wantedMs = Math.max(phaseMs?.[name] ?? 0, least === 0 ? 0 : least + MARGIN_MS);
  return prover.runPhase({
    name,
    beacon,
    signal,
    enough: () => nowMs() - startedMs >= wantedMs,
    onProgress: (_, share) => {
      const elapsed = wantedMs === 0 ? share : (nowMs() - startedMs) / wantedMs;
      onProgress?.({ part: name, share: Math.min(1, elapsed) });
    },
  });
}

/** What proves a prover wrong. All else only keeps it from being measured. */
const failures: ReadonlySet<ErrorCode> = new Set([
  'PROOF_TOO_LARGE',
  'PROOF_MALFORMED',
  'PROOF_MISMATCH',
  'PROOF_WRONG_LENGTH',
  'PROOF_BAD_OPENING',
  'PROOF_WRONG_INPUT',
  'PROOF_WRONG_ENTRY',
  'PROOF_LATE',
]);

/** @throws LatentError CANCELLED if the caller stopped, which is no verdict; a prover that says so by itself gets one */
function verdictOf(thrown: unknown, signal: AbortSignal): Verdict {
  if (signal.aborted) throw toLatentError(signal.reason);
  const error = toLatentError(thrown);
  const outcome = failures.has(error.code) ? 'failed' : 'not measured';
  return { outcome, code: error.code, reason: error.message };
}
