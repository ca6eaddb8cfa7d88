/**
 * The smallest of the values that at least `percent` % of them do not exceed (nearest rank): always one that was measured,
 * never something in between.
 * @param percent above 0, at most 100
 * @returns null for no values
 */
export function percentile(values: readonly number[], percent: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)] ?? null;
}

/** The columns that `spread` fills. */
export function spreadColumns(unit: string) {
  return ['p50', 'p95', 'least', 'most'].map((name) => ({ name, unit }));
}

export function spread(values: readonly number[]): readonly (number | null)[] {
  return [
    percentile(values, 50),
    percentile(values, 95),
    percentile(values, Number.MIN_VALUE),
    percentile(values, 100),
  ];
}
