import { formatUnits, parseUnits } from 'viem';
import { LatentError } from '../errors/latent-error.ts';

/** Decimals of the stablecoin; one dollar is 10^6 base units. */
export const TOKEN_DECIMALS = 6;

const DOLLARS = /^\$?(\d{1,12})(\.\d{1,6})?$/;

/**
 * `"2"`, `"$2.50"` → base units, exactly.
 * @throws LatentError CONFIG_INVALID for anything else, also for more than 6 decimals (nothing is rounded silently).
 */
export function parseDollars(text: string): bigint {
  const match = DOLLARS.exec(text.trim());
  if (match === null) {
    throw new LatentError('CONFIG_INVALID', `"${text.slice(0, 40)}" is not an amount in dollars.`, {
      hint: 'Write it like 2, 2.50 or $0.000001 (at most 6 decimals).',
    });
  }
  return parseUnits(`${match[1]}${match[2] ?? ''}`, TOKEN_DECIMALS);
}

/** Base units → `$1.23`; amounts below a cent keep up to 6 decimals, so that nothing but zero is shown as zero. */
export function formatDollars(units: bigint): string {
  const sign = units < 0n ? '-' : '';
  const [whole = '0', fraction = ''] = formatUnits(units < 0n ? -units : units, TOKEN_DECIMALS).split('.');
  return `${sign}$${whole}.${fraction.padEnd(2, '0')}`;
}
