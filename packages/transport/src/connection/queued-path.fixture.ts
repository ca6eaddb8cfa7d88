import type { PeerKey } from '@latent/protocol';
import type { Path, PathListener, Route } from '../paths/path.ts';

/** Bytes on the way in one direction before a sender is told to wait. */
const FULL_BYTES = 100_000;

/**
 * One end of a path in memory, on which nothing moves but when a test says so: what real paths do one after another can come in any
 * order here. Like those, it may lose all that is on the way when it ends.
 */
export class QueuedPath implements Path {
  readonly remoteKey: PeerKey;
  readonly route: Route;
  readonly roundTripMs = undefined;
  isOver = false;
  /** What is on the way to this end. */
  readonly inbox: Uint8Array[] = [];
  #inboxBytes = 0;
  #isOtherFull = false;
  #isEndTold = false;
  #other: QueuedPath | undefined;
  #listener: PathListener | undefined;

  constructor(remoteKey: PeerKey, kind: Route['kind']) {
    this.remoteKey = remoteKey;
    this.route = { kind, through: 'memory' };
  }

  /** Both ends of a fresh path. */
  static pair(keys: readonly [PeerKey, PeerKey], kind: Route['kind'] = 'relayed'): readonly [QueuedPath, QueuedPath] {
    const [near, far] = [new QueuedPath(keys[1], kind), new QueuedPath(keys[0], kind)];
    near.#other = far;
    far.#other = near;
    return [near, far];
  }

  start(listener: PathListener): void {
    this.#listener = listener;
  }

  send(tag: number, parts: readonly Uint8Array[]): boolean {
    return this.sendMessage(Buffer.concat([Uint8Array.of(tag), ...parts]));
  }

  sendMessage(message: Uint8Array): boolean {
    const other = this.#other;
    if (this.isOver || other === undefined) return false;
    if (!other.isOver) {
      other.inbox.push(Uint8Array.from(message));
      other.#inboxBytes += message.byteLength;
    }
    other.#isOtherFull = other.#inboxBytes >= FULL_BYTES;
    return !other.#isOtherFull;
  }

  sendUnordered(): boolean {
    return false;
  }

  /** Lets the next message arrive, or the end when all have. @returns false when nothing was to come */
  deliver(): boolean {
    if (this.#isEndTold) return false;
    const message = this.isOver ? undefined : this.inbox.shift();
    if (message === undefined) return this.#tellEnd();
    this.#inboxBytes -= message.byteLength;
    this.#listener?.onMessage(message);
    if (this.#isOtherFull && this.#inboxBytes < FULL_BYTES / 2) {
      this.#isOtherFull = false;
      if (this.#other?.isOver === false) this.#other.#listener?.onDrain();
    }
    return true;
  }

  /** Ends the path from without; what is on the way is lost. */
  cut(): void {
    for (const end of [this, this.#other]) {
      if (end === undefined) continue;
      end.inbox.length = 0;
      end.isOver = true;
    }
  }

  end(): void {
    this.isOver = true;
  }

  destroy(): void {
    this.isOver = true;
  }

  #tellEnd(): boolean {
    if (!this.isOver && this.#other?.isOver !== true) return false;
    this.isOver = true;
    this.#isEndTold = true;
    this.#listener?.onEnded(undefined);
    return true;
  }
}
