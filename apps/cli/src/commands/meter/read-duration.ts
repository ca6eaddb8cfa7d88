import { LatentError } from '@latent/protocol';

const UNIT_MS = { m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
/** No lease is longer. */
const MOST_MS = 366 * UNIT_MS.d;

/** `30m`, `8h`, `1.5d`, in milliseconds. @throws LatentError CONFIG_INVALID */
export function readDurationMs(text: string): number {
  const [, number, unit] = /^(\d{1,6}(?:\.\d{1,4})?)([mhd])$/.exec(text) ?? [];
  const isUnit = unit === 'm' || unit === 'h' || unit === 'd';
  const ms = isUnit ? Math.floor(Number(number) * UNIT_MS[unit]) : 0;
  if (ms < UNIT_MS.m || ms > MOST_MS) {
    throw new LatentError('CONFIG_INVALID', `--for wants a time like 30m, 8h or 2d, not "${text.slice(0, 20)}".`, {
      hint: 'From one minute to 366 days.',
    });
  }
  return ms;
}
