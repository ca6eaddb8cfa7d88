/**
 * Visits all that was put in once in so many turns, and at each turn a part of it: thousands of connections need no timer
 * each, and are not all seen to at once.
 */
export class Wheel<Item> {
  readonly #slots: readonly Set<Item>[];
  #at = 0;

  /** @param turns until the next visit, at least 1 */
  constructor(turns: number) {
    this.#slots = Array.from({ length: turns }, () => new Set<Item>());
  }

  /** It is visited `turns` turns from now, and every so many from then on. @returns the slot to remove it from */
  add(item: Item): number {
    this.#slots[this.#at]?.add(item);
    return this.#at;
  }

  remove(item: Item, slot: number): void {
    this.#slots[slot]?.delete(item);
  }

  /** Visits what is due. A visit may remove what it visits. */
  turn(visit: (item: Item) => void): void {
    this.#at = (this.#at + 1) % this.#slots.length;
    for (const item of [...(this.#slots[this.#at] ?? [])]) visit(item);
  }
}
