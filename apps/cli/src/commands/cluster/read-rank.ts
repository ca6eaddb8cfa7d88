import { LatentError } from '@latent/protocol';

/** `--rank`: undefined if it was not given. @throws LatentError CONFIG_INVALID */
export function readRank(text: string | undefined, ranks: number): number | undefined {
  if (text === undefined) return undefined;
  const rank = Number(text);
  if (!/^\d{1,4}$/.test(text) || rank >= ranks) {
    throw new LatentError('CONFIG_INVALID', `--rank is a number from 0 to ${ranks - 1}, not "${text.slice(0, 20)}".`);
  }
  return rank;
}
