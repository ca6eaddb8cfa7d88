/** The part of `streamx` 2.28 that is used here; the package ships no types. */
declare module 'streamx' {
  export interface DuplexOptions {
    readonly highWaterMark?: number;
  }

  /** Like Node's, made for browsers too. */
  export class Duplex {
    constructor(options?: DuplexOptions);
    /** Behind the constructor: `write` returns false when the stream is full; wait for `drain`. */
    write(data: Uint8Array): boolean;
    end(): this;
    /** False: the reader is full; `_read` is called when there is room. null: the other side has ended. */
    push(data: Uint8Array | null): boolean;
    pause(): this;
    resume(): this;
    destroy(error?: Error): void;
    readonly destroyed: boolean;
    readonly destroying: boolean;
    on(event: 'data', listener: (data: Uint8Array) => void): this;
    on(event: 'message', listener: (data: Uint8Array) => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
    on(event: 'drain' | 'end' | 'close', listener: () => void): this;
    protected _read(done: (error?: Error | null) => void): void;
    protected _write(data: Uint8Array, done: (error?: Error | null) => void): void;
    /** Instead of `_write`: everything that was written since the last one was done. */
    protected _writev(data: readonly Uint8Array[], done: (error?: Error | null) => void): void;
    protected _final(done: (error?: Error | null) => void): void;
    protected _predestroy(): void;
    protected _destroy(done: (error?: Error | null) => void): void;
  }
}
