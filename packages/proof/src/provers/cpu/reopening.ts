import { HASH_BYTES } from '../../spec/bytes.ts';
import { type Parameters, rowBytes } from '../../spec/parameters.ts';
import type { ReopenedRow, ReopenRow } from '../engine.ts';
import { type Board, type BoardRow, digestAt, makeBoard } from './board.ts';

/** Rows of any phases and passes on one board. */
export interface Reopening {
  readonly board: Board;
  readonly seeds: readonly Uint8Array[];
  readonly rows: readonly BoardRow[];
  /** Where on the board each of the rows asked for is. */
  readonly places: readonly number[];
  /** Place of the first state of each of the rows asked for among the states kept. */
  readonly keptFrom: readonly number[];
}

/** Groups rows by phase and lane, so that one walk through the layers serves all. @throws RangeError without memory */
export function planReopening(parameters: Parameters, layers: number, asked: readonly ReopenRow[]): Reopening {
  const groups = new Map<string, number[]>();
  for (const [index, { phase, row }] of asked.entries()) {
    const way = `${phase.name} ${phase.layerOf(row, 0)}`;
    const group = groups.get(way);
    if (group === undefined) groups.set(way, [index]);
    else group.push(index);
  }
  const order = [...groups.values()].flat();
  const places: number[] = [];
  for (const [place, index] of order.entries()) places[index] = place;
  const keptFrom: number[] = [];
  const wanted = asked.flatMap(({ states }, index) => {
    keptFrom[index] = (keptFrom[index - 1] ?? 0) + (asked[index - 1]?.states.length ?? 0);
    return states.map((state) => ({ row: places[index] ?? 0, state }));
  });
  const sized = [...groups.values()].flatMap((group) => {
    const first = asked[group[0] ?? 0];
    return first === undefined ? [] : [{ phase: first.phase, rows: group.length, anyRow: first.row }];
  });
  return {
    board: makeBoard(parameters, layers, sized, wanted, false),
    seeds: asked.map(({ seed }) => seed),
    rows: order.map((index) => ({ seed: index, row: asked[index]?.row ?? 0 })),
    places,
    keptFrom,
  };
}

/** What was asked for, from a board that has been run. */
export function readReopened(
  parameters: Parameters,
  { board, places, keptFrom }: Reopening,
  asked: readonly ReopenRow[],
): readonly ReopenedRow[] {
  const digests = new Uint8Array(board.digests);
  const kept = new Uint8Array(board.kept);
  const bytes = rowBytes(parameters);
  return asked.map(({ phase, states }, index) => {
    const place = places[index] ?? 0;
    const strand = board.strands.find(({ firstRow, rows }) => place >= firstRow && place < firstRow + rows);
    if (strand === undefined) throw new RangeError(`row ${place} of ${board.rowCount}`);
    const from = digestAt(strand, place - strand.firstRow, 0);
    const first = keptFrom[index] ?? 0;
    return {
      digests: digests.slice(from, from + (phase.steps + 1) * HASH_BYTES),
      states: states.map((_, number) => kept.slice((first + number) * bytes, (first + number + 1) * bytes)),
    };
  });
}
