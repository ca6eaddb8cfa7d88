/**
 * The part of `@hyperswarm/secret-stream` 6.9 that is used here; the package ships no types.
 * It frames what it is given as `uint24le length | ciphertext`, after a Noise handshake whose messages are framed alike.
 */
declare module '@hyperswarm/secret-stream' {
  import type { Duplex } from 'node:stream';

  interface NoiseKeyPair {
    /** Ed25519, 32 bytes. */
    readonly publicKey: Buffer;
    /** Ed25519 seed and public key, 64 bytes. */
    readonly secretKey: Buffer;
  }

  interface NoiseSecretStreamOptions {
    readonly keyPair: NoiseKeyPair;
    readonly pattern: 'XX';
    /** Unordered messages beside the stream; meaningless over TCP. */
    readonly enableSend: false;
  }

  /** A streamx duplex: emits `data`, `drain`, `end`, `error`, `close`. Starts paused. */
  export default class NoiseSecretStream {
    constructor(isInitiator: boolean, rawStream: Duplex, options: NoiseSecretStreamOptions);
    static keyPair(seed: Buffer): NoiseKeyPair;
    /** Whether the handshake succeeded; false when the stream was destroyed before. Never rejects. */
    readonly opened: Promise<boolean>;
    /** Null until the handshake is done. */
    readonly remotePublicKey: Buffer | null;
    /** Sends an empty message after each `ms` without a write, and drops empty messages of the peer. */
    setKeepAlive(ms: number): void;
    /** A buffer that the next `write` encrypts in place. */
    alloc(length: number): Buffer;
    /** False: wait for `drain`. */
    write(data: Uint8Array): boolean;
    end(): void;
    destroy(error?: Error): void;
    pause(): void;
    resume(): void;
    on(event: 'data', listener: (data: Buffer) => void): this;
    on(event: 'drain' | 'end' | 'close', listener: () => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
  }
}
