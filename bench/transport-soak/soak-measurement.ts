import { LatentError } from '@latent/protocol';
import { type Aim, aimAtLeast, aimAtMost, type Measurement } from '../harness/benchmark.ts';
import type { Counts, Sample } from './notes.ts';

/** What one lap has shown. */
export interface Lap {
  readonly listener: Sample;
  readonly diallers: Sample;
  /** Since the beginning. */
  readonly counts: Counts;
  /** Cuts and blocks, in this lap. */
  readonly disturbances: number;
}

const MIB = 1024 * 1024;
/** A third of the laps fills caches, pools and what the compiler makes. */
const WARM_UP_PART = 1 / 3;
const LEAST_LAPS = 6;
/** What a busy day may be: figures are given for so many calls. */
const CALLS_OF_A_DAY = 50_000;
const PATHS_OF_A_DAY = 2_000;

interface Held {
  readonly name: string;
  readonly unit: string;
  readonly of: (sample: Sample) => number;
  /** Growth in a day that would be a leak, and is no noise. */
  readonly most: number;
}

const held: readonly Held[] = [
  { name: 'RSS', unit: 'MiB', of: ({ rssBytes }) => rssBytes / MIB, most: 16 },
  { name: 'heap', unit: 'MiB', of: ({ heapBytes }) => heapBytes / MIB, most: 2 },
  { name: 'buffers', unit: 'MiB', of: ({ bufferBytes }) => bufferBytes / MIB, most: 2 },
  { name: 'descriptors', unit: '', of: ({ descriptors }) => descriptors, most: 2 },
  { name: 'timers', unit: '', of: ({ timers }) => timers, most: 10 },
  { name: 'resources', unit: '', of: ({ resources }) => resources, most: 2 },
];

export function soakMeasurement(laps: readonly Lap[]): Measurement {
  if (laps.length < LEAST_LAPS) {
    throw new LatentError('CONFIG_INVALID', `${laps.length} laps show nothing; give it some minutes more.`);
  }
  const counted = laps.slice(Math.ceil(laps.length * WARM_UP_PART));
  const [first, last] = [counted[0], laps.at(-1)];
  if (first === undefined || last === undefined) throw new LatentError('INTERNAL', 'No laps.');
  const { counts } = last;
  const aims: Aim[] = [];
  const rows = (['listener', 'diallers'] as const).flatMap((who) =>
    held.map(({ name, unit, of, most }) => {
      const points = counted.map((lap) => ({ x: lap.counts.calls / CALLS_OF_A_DAY, y: of(lap[who]) }));
      const growth = slopeOf(points);
      aims.push(aimAtMost(`${who}, ${name}: growth in ${CALLS_OF_A_DAY} calls`, growth, most, unit || 'in all'));
      return { name: `${who}, ${name}${unit && ` [${unit}]`}`, figures: [of(first[who]), of(last[who]), growth] };
    }),
  );
  const changed = counts.resumed + counts.upgraded;
  return {
    tables: [
      {
        title: 'Held at rest, after garbage was collected',
        columns: ['after warming up', 'at the end', `growth in ${CALLS_OF_A_DAY} calls`].map((name) => ({
          name,
          unit: 'as the row says',
        })),
        rows,
      },
      {
        title: 'What was done',
        columns: [{ name: 'count', unit: 'in all' }],
        rows: [
          { name: 'calls, each a stream, answered with what was sent', figures: [counts.calls] },
          { name: 'streams dropped in the middle', figures: [counts.dropped] },
          { name: 'messages there and back on 20 streams that lasted through all', figures: [counts.echoes] },
          { name: 'connections made, used and given up', figures: [counts.connections] },
          { name: 'streams tried again, as there was no path at the time', figures: [counts.missed] },
          { name: 'links cut, or UDP blocked', figures: [laps.reduce((sum, lap) => sum + lap.disturbances, 0)] },
          { name: 'paths lost and found again beneath living streams', figures: [counts.resumed] },
          { name: 'connections that went from the book to UDP', figures: [counts.upgraded] },
          { name: 'failures', figures: [counts.failures] },
        ],
      },
    ],
    aims: [
      aimAtLeast('calls', counts.calls, CALLS_OF_A_DAY, 'in all'),
      aimAtLeast('paths changed', changed, PATHS_OF_A_DAY, 'in all'),
      aimAtMost('failures', counts.failures, 0, 'in all'),
      ...aims,
    ],
    notes: [
      `${laps.length} laps, the first ${laps.length - counted.length} of them to warm up. In each: 12 diallers through a real book, 8 by UDP, all with a stream that lasts and calls beside; 3 more make one connection after the other. Links to the book are cut, UDP is blocked for longer than a path is trusted, in turns. Then all rest, and what is held is looked at.`,
      'Growth is the slope of a line through the laps, by the method of least squares. The laps take minutes, so that what grows with time alone, and not with use, does not show.',
      'Timers are those found in the heap, whether they keep a process alive or not. A path that was found again sooner than in 5 ms is not counted.',
      ...counts.words.map((words) => `Failure: ${words}`),
    ],
  };
}

/** Of the line that fits best. */
function slopeOf(points: readonly { readonly x: number; readonly y: number }[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x0, y0] = [mean(points.map(({ x }) => x)), mean(points.map(({ y }) => y))];
  const spread = points.reduce((sum, { x }) => sum + (x - x0) ** 2, 0);
  return points.reduce((sum, { x, y }) => sum + (x - x0) * (y - y0), 0) / spread;
}
