import type { Aim, Measurement, Table } from './benchmark.ts';
import type { MachineFacts } from './machine-facts.ts';

/** What is printed with `--json`, and saved. */
export interface Result extends Measurement {
  readonly benchmark: string;
  readonly machine: MachineFacts;
}

/** A result for people. */
export function printResult({ benchmark, machine, tables, aims, notes }: Result): string {
  const { date, cpu, cores, memoryGib, kernel, node, commit, loadAverageAtStart, loadAverageAtEnd } = machine;
  const head = [
    `${benchmark}, ${date}, commit ${commit ?? 'unknown'}`,
    `${cpu}, ${cores} cores, ${memoryGib} GiB, ${kernel}, Node ${node}`,
    `load average ${loadAverageAtStart.join(' ')} before, ${loadAverageAtEnd.join(' ')} after`,
  ];
  return [
    head.join('\n'),
    ...tables.map(printTable),
    ...(aims.length === 0 ? [] : [`Aims\n${aims.map(printAim).join('\n')}`]),
    ...(notes.length === 0 ? [] : [`Notes\n${notes.map((note) => `  ${note}`).join('\n')}`]),
  ].join('\n\n');
}

function printTable({ title, columns, rows }: Table): string {
  const lines = [
    ['', ...columns.map(({ name, unit }) => `${name} [${unit}]`)],
    ...rows.map(({ name, figures }) => [name, ...figures.map(printFigure)]),
  ];
  const widths = lines.reduce<number[]>(
    (widest, cells) => cells.map((cell, index) => Math.max(cell.length, widest[index] ?? 0)),
    [],
  );
  const align = (cell: string, index: number) =>
    index === 0 ? cell.padEnd(widths[index] ?? 0) : cell.padStart(widths[index] ?? 0);
  return [title, ...lines.map((cells) => `  ${cells.map(align).join('  ')}`.trimEnd())].join('\n');
}

function printAim(aim: Aim): string {
  const { figure, measured, unit, met } = aim;
  const wanted = 'atMost' in aim ? `at most ${printFigure(aim.atMost)}` : `at least ${printFigure(aim.atLeast)}`;
  return `  ${met ? '✓' : '✗'} ${figure}: ${printFigure(measured)} ${unit}, aim ${wanted} ${unit}`;
}

/** Whole numbers in full, others with about three digits that count. */
function printFigure(figure: number | null): string {
  if (figure === null) return 'not measured';
  if (Number.isInteger(figure)) return figure.toLocaleString('en-US');
  const digits = Math.abs(figure) >= 100 ? 0 : Math.abs(figure) >= 10 ? 1 : Math.abs(figure) >= 1 ? 2 : 4;
  return figure.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
