import { FIRST_BOOK_CHANNEL } from '@latent/protocol';

const LAST_CHANNEL = 2 ** 32 - 1;

/** Numbers of the channels that others open to a link: never one that is in use, and the one used longest ago. */
export class ChannelNumbers {
  readonly #first: number;
  readonly #last: number;
  #next: number;

  constructor(first: number = FIRST_BOOK_CHANNEL, last: number = LAST_CHANNEL) {
    this.#first = first;
    this.#last = last;
    this.#next = first;
  }

  /** @param isInUse must be false for one of the numbers at least */
  take(isInUse: (number: number) => boolean): number {
    let number = this.#next;
    while (isInUse(number)) number = this.#following(number);
    this.#next = this.#following(number);
    return number;
  }

  #following(number: number): number {
    return number === this.#last ? this.#first : number + 1;
  }
}
