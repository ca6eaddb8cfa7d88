/** One benchmark: everything that `npm run bench` needs to know of it. */
export interface Benchmark {
  /** What it is called on the command line, and its file: `bench/NAME.ts`. */
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** Measures, and leaves nothing running, whether it ends, throws or is aborted. */
  run(options: BenchmarkOptions): Promise<Measurement>;
}

export interface BenchmarkOptions {
  /** How often to repeat what the benchmark repeats; undefined for its own default. */
  readonly runs: number | undefined;
  /** How long a benchmark that goes by time may take; undefined for its own default. */
  readonly minutes?: number | undefined;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** For a person who waits; never part of the result. */
  readonly onProgress: (text: string) => void;
}

/** What was measured. Plain JSON. */
export interface Measurement {
  readonly tables: readonly Table[];
  /** What the project has set itself to reach. Missing one is a finding, not a failure. */
  readonly aims: readonly Aim[];
  /** What somebody has to know to read the figures rightly: what was left out, how often, what else plays a part. */
  readonly notes: readonly string[];
}

export interface Table {
  readonly title: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

export interface Column {
  readonly name: string;
  /** `ms`, `gas`, `1/s`, `%`, …; never left out. */
  readonly unit: string;
}

export interface Row {
  readonly name: string;
  /** One per column; null is "not measured", which is not zero. */
  readonly figures: readonly (number | null)[];
}

export type Aim = {
  readonly figure: string;
  readonly measured: number;
  readonly unit: string;
  readonly met: boolean;
} & ({ readonly atMost: number } | { readonly atLeast: number });

/** An aim that is met by a figure that is no larger. */
export function aimAtMost(figure: string, measured: number, atMost: number, unit: string): Aim {
  return { figure, measured, atMost, unit, met: measured <= atMost };
}

/** An aim that is met by a figure that is no smaller. */
export function aimAtLeast(figure: string, measured: number, atLeast: number, unit: string): Aim {
  return { figure, measured, atLeast, unit, met: measured >= atLeast };
}
