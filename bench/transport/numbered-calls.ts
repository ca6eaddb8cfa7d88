import { LatentError } from '@latent/protocol';
import type { Channel } from './channel.ts';
import { echoMessage } from './serve-channel.ts';

const NUMBER_AT = 1;

/** Many calls at once over one channel without streams: each message carries a number, which comes back with the answer. */
export class NumberedCalls {
  readonly #channel: Channel;
  readonly #waiting = new Map<number, PromiseWithResolvers<Uint8Array>>();
  #last = 0;

  constructor(channel: Channel) {
    this.#channel = channel;
    void this.#read();
  }

  async call(message: Uint8Array): Promise<Uint8Array> {
    this.#last += 1;
    const numbered = echoMessage(message.byteLength);
    new DataView(numbered.buffer).setUint32(NUMBER_AT, this.#last);
    const answered = Promise.withResolvers<Uint8Array>();
    this.#waiting.set(this.#last, answered);
    await this.#channel.send(numbered);
    return await answered.promise;
  }

  close(): void {
    this.#channel.close();
  }

  async #read(): Promise<void> {
    try {
      for (let answer = await this.#channel.receive(); answer !== undefined; answer = await this.#channel.receive()) {
        const number = new DataView(answer.buffer, answer.byteOffset, answer.byteLength).getUint32(NUMBER_AT);
        this.#waiting.get(number)?.resolve(answer);
        this.#waiting.delete(number);
      }
    } catch {
      // Those who wait are told below.
    }
    const ended = new LatentError('STREAM_CLOSED', 'The channel ended before the answer.');
    for (const waiting of this.#waiting.values()) waiting.reject(ended);
  }
}
