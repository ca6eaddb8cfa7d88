/** All of them, each round another one first: a disturbance, and what one leaves behind, meets all alike. */
export function takeTurns<Item>(items: readonly Item[], round: number): readonly Item[] {
  const first = round % Math.max(1, items.length);
  return [...items.slice(first), ...items.slice(0, first)];
}
