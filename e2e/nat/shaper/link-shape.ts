import { z } from 'zod';

/** Of a delay, a lateness, and a queue. */
export const LONGEST_MS = 10_000;

const waySchema = z.strictObject({
  /** How long each packet is on its way. Sent at the next whole millisecond of the shaper's clock. Default: 0, at once. */
  delayMs: z.number().min(0).max(LONGEST_MS).optional(),
  /** Chance of each packet to be lost, 0 to 1. Default: 0. */
  loss: z.number().min(0).max(1).optional(),
  /** Some packets take longer, so that later ones overtake them. Default: none. */
  late: z.strictObject({ chance: z.number().min(0).max(1), byMs: z.number().min(0).max(LONGEST_MS) }).optional(),
  /** Bytes per second, IP headers counted. Default: as fast as it goes. */
  rate: z.number().min(1_000).optional(),
  /** What may wait for its turn at that rate; what comes then is dropped. In bytes. Default: 50 ms of the rate, at least 64 KB. */
  queue: z.int().min(1_500).optional(),
});

export const linkShapeSchema = z.strictObject({
  /** The chances are drawn from it, one row for each direction: the same packets are lost and late every time. */
  seed: z.int().min(0).max(0xffff_ffff),
  up: waySchema.optional(),
  down: waySchema.optional(),
});

/** One direction of an uplink. */
export type WayShape = z.infer<typeof waySchema>;

/** An uplink: `up` is what a place sends, `down` what comes to it. */
export type LinkShape = z.infer<typeof linkShapeSchema>;

export const wayCountsSchema = z.strictObject({
  /** Unicast packets that came to the shaper since its shape was set. Each is lost, dropped, sent or on its way. */
  arrived: z.int(),
  sent: z.int(),
  lost: z.int(),
  /** Of those that were not lost, the ones that took longer. */
  late: z.int(),
  /** Found the queue of the rate, or the shaper's memory, full. */
  dropped: z.int(),
});

export type WayCounts = z.infer<typeof wayCountsSchema>;

export const linkCountsSchema = z.strictObject({ up: wayCountsSchema, down: wayCountsSchema });

export type LinkCounts = z.infer<typeof linkCountsSchema>;
