import type { Clock } from '@latent/kit';
import { LatentError } from '@latent/protocol';

/** Lets so many messages a minute through per sender; a quiet sender can save up one minute's worth. */
export interface RateLimiter {
  /** @throws LatentError BOOK_RATE_LIMITED */
  admit(sender: string): void;
  /** As `admit`, for where there is nobody to tell. */
  isAdmitted(sender: string): boolean;
}

/** Senders remembered at once. Beyond that the ones that have been quiet longest start anew. */
const MAX_SENDERS = 50_000;
const MINUTE_MS = 60_000;

export function createRateLimiter(perMinute: number, clock: Clock): RateLimiter {
  const senders = new Map<string, { left: number; atMs: number }>();

  function isAdmitted(sender: string): boolean {
    const nowMs = clock.nowMs();
    const known = senders.get(sender) ?? { left: perMinute, atMs: nowMs };
    const regained = ((nowMs - known.atMs) * perMinute) / MINUTE_MS;
    const left = Math.min(perMinute, known.left + Math.max(0, regained));
    senders.delete(sender);
    senders.set(sender, { left: left < 1 ? left : left - 1, atMs: nowMs });
    const [quietest] = senders.keys();
    if (senders.size > MAX_SENDERS && quietest !== undefined) senders.delete(quietest);
    return left >= 1;
  }

  return {
    isAdmitted,
    admit: (sender) => {
      if (isAdmitted(sender)) return;
      throw new LatentError('BOOK_RATE_LIMITED', `At most ${perMinute} messages a minute are taken from one sender.`, {
        hint: 'Wait a minute.',
        details: { perMinute },
      });
    },
  };
}
