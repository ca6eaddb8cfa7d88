import type { WorksFor } from '../lease/lease-worth.ts';

/** What a keeper or a watchtower is told to do, and for whom. Amounts in base units of the stablecoin. */
export interface Policy {
  readonly worksFor: WorksFor;
  /** Only the last voucher of what has ended: a watchtower. Nothing is closed, finalized or checkpointed before its end. */
  readonly lastVoucherOnly: boolean;
  /** While a lease runs, less than this is not checkpointed before its time. */
  readonly minWorth: bigint;
  /** Nor is less than so many times what it costs. At least 1. */
  readonly gasTimes: bigint;
  /** What was not checkpointed for so long is, if it pays for itself. */
  readonly maxAgeSeconds: number;
  /** How long the parties have to do it themselves once they can; a quarter of the closing window at most. */
  readonly patienceSeconds: number;
  /** Those who watch the same lease take their turns within so many seconds; an eighth of the closing window at most. */
  readonly spreadSeconds: number;
  /** Free devices are worth so many seconds of their price. */
  readonly freedSeconds: number;
}
