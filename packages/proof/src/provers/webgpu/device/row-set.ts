import type { Shape } from '../shaders/layout.ts';
import { TILE_ROWS } from '../shaders/layout.ts';
import { startTaking } from './buffers.ts';
import type { OpenDevice } from './open-device.ts';

/** Rows that go through the network together, and where the device keeps what they need. */
export interface RowSet {
  /** Rows, unused ones between and after them included. */
  readonly rows: number;
  /** Of each row, the number of its seed, and its own number in that seed's pass: u32, u32. */
  readonly numbers: GPUBuffer;
  /** 32 bytes each. */
  readonly seeds: GPUBuffer;
  readonly keys: GPUBuffer;
  readonly release: () => void;
}

/** @param numbers two for each row, see `RowSet.numbers` */
export async function takeRowSet(open: OpenDevice, numbers: Uint32Array<ArrayBuffer>, seeds: number): Promise<RowSet> {
  const { take, release } = startTaking(open);
  const rows = numbers.length / 2;
  const set = {
    rows,
    numbers: await take('row numbers', numbers.byteLength),
    seeds: await take('seeds', 32 * seeds),
    keys: await take('keys', 4 * paddedRows(rows)),
    release,
  };
  open.device.queue.writeBuffer(set.numbers, 0, numbers);
  return set;
}

/** Numbers of all rows of one pass. */
export function rowsOfPass(rows: number): Uint32Array<ArrayBuffer> {
  return Uint32Array.from({ length: 2 * rows }, (_, index) => (index % 2 === 0 ? 0 : (index - 1) / 2));
}

/** Rows up to the next whole tile. */
export function paddedRows(rows: number): number {
  return Math.ceil(rows / TILE_ROWS) * TILE_ROWS;
}

/** Bytes of a state on the device: one for each value. */
export function stateBytes({ width }: Pick<Shape, 'width'>): number {
  return width;
}
