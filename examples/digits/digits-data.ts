import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

export const pixelCount = 64;
export const classCount = 10;
const rowCount = 1797;

/** Some rows of the data set. `pixels` holds 64 numbers from 0 to 1 for each row. */
export interface Digits {
  readonly rows: number;
  readonly pixels: Float64Array;
  readonly labels: Uint8Array;
}

/** Every fifth row is held out: 359 to test on, 1438 to train on. */
function isHeldOut(row: number): boolean {
  return row % 5 === 4;
}

export const heldOutCount = Math.floor(rowCount / 5);
export const trainingCount = rowCount - heldOutCount;

/** The packed data set and its digest. */
export function readDataFile(): { readonly csv: string; readonly sha256: string } {
  const bytes = readFileSync(new URL('data/digits.csv.gz', import.meta.url));
  return { csv: gunzipSync(bytes).toString('latin1'), sha256: createHash('sha256').update(bytes).digest('hex') };
}

/**
 * The training rows of one rank, every `ranks`-th one from `rank` on. The others are skipped unread: a rank knows
 * nothing of the images of its peers.
 */
export function trainingShard(csv: string, rank: number, ranks: number): Digits {
  let index = -1;
  return selectRows(csv, (row) => {
    if (isHeldOut(row)) return false;
    index += 1;
    return index % ranks === rank;
  });
}

/** The held-out rows of one rank; all of them with one rank. */
export function heldOutShard(csv: string, rank: number, ranks: number): Digits {
  return selectRows(csv, (row) => isHeldOut(row) && Math.floor(row / 5) % ranks === rank);
}

function selectRows(csv: string, keep: (row: number) => boolean): Digits {
  const lines = csv.trimEnd().split('\n');
  if (lines.length !== rowCount) throw new Error(`the data set has ${lines.length} rows instead of ${rowCount}`);
  const kept = lines.flatMap((line, row) => (keep(row) ? [{ line, row }] : []));
  const pixels = new Float64Array(kept.length * pixelCount);
  const labels = new Uint8Array(kept.length);
  kept.forEach(({ line, row }, index) => {
    const values = line.split(',').map(Number);
    const label = values[pixelCount];
    if (values.length !== pixelCount + 1 || label === undefined || !(label >= 0 && label < classCount)) {
      throw new Error(`row ${row + 1} of the data set is damaged`);
    }
    labels[index] = label;
    pixels.set(
      values.slice(0, pixelCount).map((ink) => ink / 16),
      index * pixelCount,
    );
  });
  return { rows: kept.length, pixels, labels };
}
