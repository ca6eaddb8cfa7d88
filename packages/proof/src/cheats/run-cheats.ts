import { LatentError } from '@latent/protocol';
import type { ChallengeResult } from '../challenge/run-challenge.ts';
import type { Kernel } from '../kernel.ts';
import { decodeHeader } from '../wire/proof-header.ts';
import { cheats as catalogue } from './catalogue.ts';
import { type Cheat, gainOf, type StoppedBy } from './cheat.ts';
import { type Confidence, confidenceOf } from './confidence.ts';
import { type Factors, factorsOf, honestRates } from './stage/device-model.ts';
import { modelOf, type Stage, setStage } from './stage/stage.ts';

export interface RunCheatsOptions {
  readonly kernel: Kernel;
  /** Challenges of each cheat. */
  readonly trials: number;
  /** The same seed gives the same rows. */
  readonly seed: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: CheatsProgress) => void;
  /** Left out: all. */
  readonly cheats?: readonly Cheat[];
  /** Trials over one dishonest commitment. */
  readonly trialsPerCommitment?: number;
  /** How many times faster the modelled device reads weights than it derives them; left out: `READ_TO_MAKE`. */
  readonly readToMake?: number;
}

export interface CheatsProgress {
  readonly cheat: string;
  readonly trialsDone: number;
  readonly trials: number;
}

/** What became of one cheat. Plain JSON. */
export interface CheatRow {
  readonly name: string;
  readonly summary: string;
  /** What it claims, as multiples of what it has. */
  readonly claims: Factors;
  /** The largest of them. */
  readonly gain: number;
  readonly forged: number | null;
  readonly predicted: number | 'n/a: economics';
  readonly trials: number;
  /** Dishonest commitments that the trials were spread over. */
  readonly commitments: number;
  /** Proven, and scored at least what it claims. */
  readonly accepted: number;
  /** Of all trials, with the exact interval at 95 %. */
  readonly acceptance: Confidence;
  /** How often each code refused it. */
  readonly codes: Readonly<Record<string, number>>;
  /** Proven, but scored less than it claims. */
  readonly scoredLess: number;
  /** The best that it is scored, or would be if its proof were taken; null if no proof could be read. */
  readonly scored: Factors | null;
  readonly stoppedBy: StoppedBy;
  readonly explanation: string;
  readonly sum: string | null;
}

/** What a modelled device is taken for unless a real one was measured: `measureReadToMake`. */
export const READ_TO_MAKE = 100;

/** Verifying pauses now and then; that many trials use each other's pauses. */
const AT_ONCE = 8;

/** Rounding of times to whole milliseconds is no claim. */
const ROUNDING = 0.995;

/**
 * Lets dishonest provers answer the real challenger.
 * @throws LatentError CANCELLED; INTERNAL if a trial ended as `not measured`, which no cheat here can make it
 */
export async function runCheats(options: RunCheatsOptions): Promise<readonly CheatRow[]> {
  const rows: CheatRow[] = [];
  for (const cheat of options.cheats ?? catalogue) rows.push(await runCheat(cheat, options));
  return rows;
}

async function runCheat(cheat: Cheat, options: RunCheatsOptions): Promise<CheatRow> {
  const { kernel, trials, seed, signal, onProgress } = options;
  const { trialsPerCommitment = 500, readToMake = READ_TO_MAKE } = options;
  const count = { accepted: 0, scoredLess: 0, commitments: 0, done: 0 };
  const codes: Record<string, number> = {};
  let scored: Factors | undefined;
  while (count.done < trials) {
    const stage = setStage({ kernel, readToMake, seed: `${seed}/${cheat.name}/${count.commitments}`, signal });
    const attempt = await cheat.begin(stage);
    count.commitments++;
    const here = Math.min(trialsPerCommitment, trials - count.done);
    for (let first = 0; first < here; first += AT_ONCE) {
      const indices = Array.from({ length: Math.min(AT_ONCE, here - first) }, (_, i) => first + i);
      const results = await Promise.all(indices.map((index) => attempt.trial(index)));
      for (const result of results) {
        const factors = scoreOf(cheat, stage, result);
        if (factors !== undefined && (scored === undefined || gainOf(factors) > gainOf(scored))) scored = factors;
        const { verdict } = result;
        if (verdict.outcome === 'not measured') {
          throw new LatentError('INTERNAL', `${cheat.name} was not measured: ${verdict.reason}`);
        }
        if (verdict.outcome === 'failed') codes[verdict.code] = (codes[verdict.code] ?? 0) + 1;
        else if (factors !== undefined && reaches(factors, cheat.claims)) count.accepted++;
        else count.scoredLess++;
      }
      count.done += results.length;
      onProgress?.({ cheat: cheat.name, trialsDone: count.done, trials });
    }
  }
  const { name, summary, claims, forged = null, predicted, stoppedBy, explanation, sum = null } = cheat;
  return {
    ...{ name, summary, claims, gain: gainOf(claims), forged, predicted, trials, commitments: count.commitments },
    accepted: count.accepted,
    acceptance: confidenceOf(count.accepted, trials, 0.95),
    ...{ codes, scoredLess: count.scoredLess, scored: scored ?? null, stoppedBy, explanation, sum },
  };
}

/** What the proof is scored, or would be if it were taken. */
function scoreOf(cheat: Cheat, stage: Stage, { proof, times }: ChallengeResult): Factors | undefined {
  if (proof === undefined || times === undefined) return undefined;
  try {
    const honest = honestRates(stage.parameters, cheat.device?.(stage) ?? modelOf(stage));
    return factorsOf(honest, decodeHeader(proof), times);
  } catch (error) {
    if (error instanceof LatentError) return undefined;
    throw error;
  }
}

function reaches(scored: Factors, claims: Factors): boolean {
  return (
    scored.operations >= claims.operations * ROUNDING &&
    scored.memory >= claims.memory * ROUNDING &&
    scored.bandwidth >= claims.bandwidth * ROUNDING
  );
}
