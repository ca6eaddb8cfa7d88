/**
 * The part of `@hyperswarm/secret-stream` 6.9 that is used here; the package ships no types.
 * It frames what it is given as `uint24le length | ciphertext`, after a Noise handshake whose messages are framed alike.
 */
declare module '@hyperswarm/secret-stream' {
  import type { Duplex } from 'node:stream';
  import type { Duplex as StreamxDuplex } from 'streamx';

  interface NoiseKeyPair {
    /** Ed25519, 32 bytes. */
    readonly publicKey: Uint8Array;
    /** Ed25519 seed and public key, 64 bytes. */
    readonly secretKey: Uint8Array;
  }

  interface NoiseSecretStreamOptions {
    readonly keyPair: NoiseKeyPair;
    readonly pattern: 'XX';
    /** Unordered messages beside the stream, where what is below can send such (UDX). */
    readonly enableSend: boolean;
  }

  /** A streamx duplex: emits `data`, `drain`, `end`, `error`, `close`. Starts paused. */
  export default class NoiseSecretStream {
    constructor(isInitiator: boolean, rawStream: Duplex | StreamxDuplex, options: NoiseSecretStreamOptions);
    static keyPair(seed: Uint8Array): NoiseKeyPair;
    /** Whether the handshake succeeded; false when the stream was destroyed before. Never rejects. */
    readonly opened: Promise<boolean>;
    /** Null until the handshake is done. */
    readonly remotePublicKey: Uint8Array | null;
    /** Sends an empty message after each `ms` without a write, and drops empty messages of the peer. */
    setKeepAlive(ms: number): void;
    /** A buffer that the next `write` encrypts in place. */
    alloc(length: number): Buffer;
    /** False: wait for `drain`. */
    write(data: Uint8Array): boolean;
    /** Sends an unordered message, which may be lost or come twice; it arrives as `message`. Nothing happens where these are not carried. */
    trySend(message: Uint8Array): void;
    end(): void;
    destroy(error?: Error): void;
    pause(): void;
    resume(): void;
    on(event: 'data' | 'message', listener: (data: Buffer) => void): this;
    on(event: 'drain' | 'end' | 'close', listener: () => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
  }
}
