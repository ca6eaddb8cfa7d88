/** Ordered messages, both ways: what all ways have in common. */
export interface Channel {
  /** Resolves when there is room for the next. */
  send(message: Uint8Array): Promise<void>;
  /** The next message; undefined when the other end has ended. Throws when the channel broke. */
  receive(): Promise<Uint8Array | undefined>;
  /** Drops it. */
  close(): void;
}

/** A way to reach a peer, at the end that listens. */
export interface WayListener {
  /** What a dialler has to know. */
  readonly at: string;
  close(): Promise<void>;
}

/** A way to reach a peer, at the end that dials. */
export interface WayDialler {
  /** A connection of its own, from nothing. Closing the channel ends it. */
  connect(signal: AbortSignal): Promise<Channel>;
  /** A channel of the connection that stands; the first one makes it. */
  open(signal: AbortSignal): Promise<Channel>;
  /** One message there and one back, over the connection that stands. */
  call(message: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Messages that have come and are not read yet. */
export class Inbox {
  readonly #messages: Uint8Array[] = [];
  #waiting: PromiseWithResolvers<Uint8Array | undefined> | undefined;
  #end: { readonly error: Error | undefined } | undefined;

  put(message: Uint8Array): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting === undefined) this.#messages.push(message);
    else waiting.resolve(message);
  }

  /** @param error missing: it ended as it should */
  end(error?: Error): void {
    this.#end ??= { error };
    if (error === undefined) this.#waiting?.resolve(undefined);
    else this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  async take(): Promise<Uint8Array | undefined> {
    const message = this.#messages.shift();
    if (message !== undefined) return message;
    if (this.#end?.error !== undefined) throw this.#end.error;
    if (this.#end !== undefined) return undefined;
    this.#waiting = Promise.withResolvers();
    return await this.#waiting.promise;
  }
}
