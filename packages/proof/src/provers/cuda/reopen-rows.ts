import { HASH_BYTES } from '../../spec/bytes.ts';
import { rowBytes } from '../../spec/parameters.ts';
import type { ReopenedRow, ReopenRow } from '../engine.ts';
import { startPace } from './pace.ts';
import { launchDigests, launchDigestsAndStep, launchEach, launchInputs, type Stage } from './run-rows.ts';
import { REOPEN_ROWS, REOPEN_STATES } from './working-memory.ts';

/** Rows that go through the same layers, with their places among all that were asked for. */
interface Batch {
  readonly rows: readonly ReopenRow[];
  readonly places: readonly number[];
}

/** Runs rows again, those of compute passes together, and those of each lane of bandwidth passes. */
export async function reopenRows(
  stage: Stage,
  rows: readonly ReopenRow[],
  signal: AbortSignal,
): Promise<readonly ReopenedRow[]> {
  const opened = new Map<number, ReopenedRow>();
  for (const batch of batchesOf(rows)) {
    const ofBatch = await reopenBatch(stage, batch.rows, signal);
    for (const [index, place] of batch.places.entries()) {
      const row = ofBatch[index];
      if (row !== undefined) opened.set(place, row);
    }
  }
  return rows.flatMap((_, place) => opened.get(place) ?? []);
}

/** Batches that fit into what is kept for them, all of whose rows go through the layers of their first. */
function batchesOf(rows: readonly ReopenRow[]): readonly Batch[] {
  const batches: { rows: ReopenRow[]; places: number[]; states: number; key: string }[] = [];
  for (const [place, row] of rows.entries()) {
    const key = `${row.phase.name} ${row.phase.layerOf(row.row, 0)}`;
    const fits = (states: number, count: number) => states + row.states.length <= REOPEN_STATES && count < REOPEN_ROWS;
    const batch = batches.find((one) => one.key === key && fits(one.states, one.rows.length));
    if (batch === undefined) {
      batches.push({ rows: [row], places: [place], states: row.states.length, key });
      continue;
    }
    batch.rows.push(row);
    batch.places.push(place);
    batch.states += row.states.length;
  }
  return batches;
}

async function reopenBatch(
  stage: Stage,
  rows: readonly ReopenRow[],
  signal: AbortSignal,
): Promise<readonly ReopenedRow[]> {
  const { context, kernels, network } = stage;
  const { work, tiled, parameters } = network;
  const [first] = rows;
  if (first === undefined) return [];
  const { steps } = first.phase;
  const exports = planExports(rows);

  writeRows(stage, rows);
  if (exports.entries.length > 0) context.write(work.entries, new Uint8Array(exports.entries.buffer));
  launchInputs(stage, { states: work.states0, keys: work.keys, rows: rows.length, seedOfEach: true, tiled });
  const pace = startPace(context, signal, undefined);
  for (let state = 0; state <= steps; state++) {
    const [from, to] = state % 2 === 0 ? [work.states0, work.states1] : [work.states1, work.states0];
    const wanted = exports.byState.get(state);
    if (wanted !== undefined) {
      const entries = work.entries + BigInt(8 * wanted.first);
      const { width } = parameters;
      const parametersOfLaunch = [from, work.opened, entries, wanted.count, width, tiled];
      launchEach(stage, kernels.of('export_rows'), wanted.count * (width / 64), parametersOfLaunch);
    }
    const digests = work.digests + BigInt(state * rows.length * HASH_BYTES);
    const target = { digests, frontier: 0n, leaf: 0 };
    const stepRows = { from, to, keys: work.keys, rows: rows.length };
    if (state < steps) launchDigestsAndStep(stage, stepRows, first.phase.layerOf(first.row, state), target);
    else launchDigests(stage, from, rows.length, tiled, target);
    await pace.step();
  }
  await pace.end();
  return readOpened(stage, rows, exports.places);
}

/** Seeds and numbers of the rows. */
function writeRows({ context, network: { work } }: Stage, rows: readonly ReopenRow[]): void {
  const seeds = new Uint8Array(rows.length * HASH_BYTES);
  for (const [index, { seed }] of rows.entries()) seeds.set(seed, index * HASH_BYTES);
  context.write(work.seeds, seeds);
  const numbers = Uint32Array.from(rows, ({ row }) => row);
  context.write(work.rowNumbers, new Uint8Array(numbers.buffer));
}

interface Exports {
  /** Pairs of row and place, those of one state next to each other. */
  readonly entries: Uint32Array;
  readonly byState: ReadonlyMap<number, { readonly first: number; readonly count: number }>;
  /** For each row the places of its states, in the order asked. */
  readonly places: readonly (readonly number[])[];
}

function planExports(rows: readonly ReopenRow[]): Exports {
  let place = 0;
  const places = rows.map(({ states }) => states.map(() => place++));
  const wanted = rows.flatMap(({ states }, row) =>
    states.map((state, index) => ({ state, row, place: places[row]?.[index] ?? 0 })),
  );
  wanted.sort((a, b) => a.state - b.state);
  const byState = new Map<number, { first: number; count: number }>();
  for (const [index, { state }] of wanted.entries()) {
    const range = byState.get(state);
    if (range === undefined) byState.set(state, { first: index, count: 1 });
    else range.count++;
  }
  return { entries: Uint32Array.from(wanted.flatMap(({ row, place: at }) => [row, at])), byState, places };
}

function readOpened(
  { context, network }: Stage,
  rows: readonly ReopenRow[],
  places: Exports['places'],
): readonly ReopenedRow[] {
  const { work, parameters } = network;
  const states = (rows[0]?.phase.steps ?? 0) + 1;
  const digests = context.read(work.digests, states * rows.length * HASH_BYTES);
  const bytes = rowBytes(parameters);
  const count = places.reduce((sum, own) => sum + own.length, 0);
  const opened = count === 0 ? new Uint8Array(0) : context.read(work.opened, count * bytes);
  return rows.map((_, row) => {
    const own = new Uint8Array(states * HASH_BYTES);
    for (let state = 0; state < states; state++) {
      const from = (state * rows.length + row) * HASH_BYTES;
      own.set(digests.subarray(from, from + HASH_BYTES), state * HASH_BYTES);
    }
    return { digests: own, states: (places[row] ?? []).map((at) => opened.slice(at * bytes, (at + 1) * bytes)) };
  });
}
