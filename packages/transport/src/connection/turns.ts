/** Who may send next: first come, first served, one piece each, so that a busy stream holds up none of the others. */
export class Turns {
  readonly #hasRoom: () => boolean;
  readonly #waiting: (() => void)[] = [];
  #isServing = false;

  /** @param hasRoom whether another piece may be sent now */
  constructor(hasRoom: () => boolean) {
    this.#hasRoom = hasRoom;
  }

  /** Calls `send` once, when there is room and all who came before had their turn; at once if that is so. */
  take(send: () => void): void {
    this.#waiting.push(send);
    this.serve();
  }

  /** There may be room again. */
  serve(): void {
    // Whoever sends makes room or uses it up, which leads back here.
    if (this.#isServing) return;
    this.#isServing = true;
    try {
      while (this.#waiting.length > 0 && this.#hasRoom()) this.#waiting.shift()?.();
    } finally {
      this.#isServing = false;
    }
  }

  /** Nobody gets a turn any more. */
  clear(): void {
    this.#waiting.length = 0;
  }
}
