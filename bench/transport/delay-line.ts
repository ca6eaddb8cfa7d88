/** Does things later, each after the same time, in the order in which they came. */
export interface DelayLine<Item> {
  add(item: Item): void;
}

const LOOK_MS = 1;

/** @param deliver called for each item when its time has come, late by up to a turn of a timer */
export function createDelayLine<Item>(delayMs: number, deliver: (item: Item) => void): DelayLine<Item> {
  if (delayMs === 0) return { add: deliver };
  let items: Item[] = [];
  let dueMs: number[] = [];
  let first = 0;
  let isTimed = false;
  const look = () => {
    const now = performance.now();
    for (; first < items.length && (dueMs[first] ?? 0) <= now; first += 1) {
      const item = items[first];
      if (item !== undefined) deliver(item);
    }
    if (first * 2 > items.length) {
      items = items.slice(first);
      dueMs = dueMs.slice(first);
      first = 0;
    }
    isTimed = items.length > 0;
    if (isTimed) setTimeout(look, LOOK_MS);
  };
  return {
    add: (item) => {
      items.push(item);
      dueMs.push(performance.now() + delayMs);
      if (isTimed) return;
      isTimed = true;
      setTimeout(look, LOOK_MS);
    },
  };
}
