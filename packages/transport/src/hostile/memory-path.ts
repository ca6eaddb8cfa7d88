import type { PeerKey } from '@latent/protocol';
import { MAX_DATA_BYTES } from '../connection/path-message.ts';
import type { Path, PathListener, Route } from '../paths/path.ts';

/** A path that is nothing but its two ends in memory: the other one is whoever feeds it. Takes what is sent, and forgets it. */
export class MemoryPath implements Path {
  readonly remoteKey: PeerKey;
  readonly route: Route = { kind: 'direct', through: 'memory' };
  readonly roundTripMs = undefined;
  sentBytes = 0;
  isOver = false;
  #listener: PathListener | undefined;

  constructor(remoteKey: PeerKey) {
    this.remoteKey = remoteKey;
  }

  /** What comes from the other end. */
  feed(message: Uint8Array): void {
    if (!this.isOver) this.#listener?.onMessage(message);
  }

  feedUnordered(message: Uint8Array): void {
    if (!this.isOver) this.#listener?.onUnordered(message);
  }

  start(listener: PathListener): void {
    this.#listener = listener;
  }

  send(_tag: number, parts: readonly Uint8Array[]): boolean {
    const bytes = parts.reduce((sum, part) => sum + part.byteLength, 0);
    if (bytes > MAX_DATA_BYTES) throw new RangeError(`a message of ${bytes} bytes`);
    this.sentBytes += bytes;
    return true;
  }

  sendMessage(message: Uint8Array): boolean {
    this.sentBytes += message.byteLength;
    return true;
  }

  sendUnordered(bytes: Uint8Array): boolean {
    this.sentBytes += bytes.byteLength;
    return true;
  }

  end(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#listener?.onEnded(undefined);
  }
}
