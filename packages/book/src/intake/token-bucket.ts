import type { Clock } from '@latent/kit';

/** What may be spent of something: it fills at a steady rate, up to `capacity`. */
export class TokenBucket {
  readonly #capacity: number;
  readonly #perMs: number;
  readonly #clock: Clock;
  #level: number;
  #atMs: number;

  /** Starts full. */
  constructor(limits: { readonly capacity: number; readonly perSecond: number }, clock: Clock) {
    this.#capacity = limits.capacity;
    this.#perMs = limits.perSecond / 1_000;
    this.#clock = clock;
    this.#level = limits.capacity;
    this.#atMs = clock.nowMs();
  }

  /** Takes `amount`, if there is so much. */
  take(amount: number): boolean {
    if (this.#fill() < amount) return false;
    this.#level -= amount;
    return true;
  }

  /** Takes `amount` of what is used already, even if the bucket is in debt from then on. */
  spend(amount: number): void {
    this.#fill();
    this.#level -= amount;
  }

  /** Milliseconds until a bucket in debt has half of its capacity again; 0 if it is not in debt. */
  msInDebt(): number {
    const level = this.#fill();
    return level >= 0 ? 0 : Math.ceil((this.#capacity / 2 - level) / this.#perMs);
  }

  #fill(): number {
    const nowMs = this.#clock.nowMs();
    // A clock that is set back gives nothing away.
    const gained = Math.max(0, nowMs - this.#atMs) * this.#perMs;
    this.#level = Math.min(this.#capacity, this.#level + gained);
    this.#atMs = nowMs;
    return this.#level;
  }
}
