import type { ChallengeResult } from '../../challenge/run-challenge.ts';
import { TAKEN } from './weakness.ts';

/** What a challenge was refused with. */
export function refusalOf({ verdict }: ChallengeResult): string {
  return verdict.outcome === 'proven' ? TAKEN : verdict.code;
}
