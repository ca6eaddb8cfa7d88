import { LatentError } from '@latent/protocol';

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
/** Less could not even be handed to every machine. */
const LEAST_MS = 10 * UNIT_MS.s;
/** No lease is longer. */
const MOST_MS = 366 * UNIT_MS.d;

/** `30m`, `8h`, `1.5d`, in milliseconds. @throws LatentError CONFIG_INVALID */
export function readDurationMs(text: string): number {
  const [, number, unit] = /^(\d{1,6}(?:\.\d{1,4})?)([smhd])$/.exec(text) ?? [];
  const isUnit = unit === 's' || unit === 'm' || unit === 'h' || unit === 'd';
  const ms = isUnit ? Math.floor(Number(number) * UNIT_MS[unit]) : 0;
  if (ms < LEAST_MS || ms > MOST_MS) {
    throw new LatentError('CONFIG_INVALID', `"${text.slice(0, 20)}" is no time like 30m, 8h or 2d.`, {
      hint: 'From 10 seconds to 366 days.',
    });
  }
  return ms;
}
