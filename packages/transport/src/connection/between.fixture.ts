import { type LatentError, peerKeySchema } from '@latent/protocol';
import { expect } from 'vitest';
import { acceptPath, type Presented, presentPath } from './attach-path.ts';
import { Connection } from './connection.ts';
import type { MuxedStream } from './muxed-stream.ts';
import { QueuedPath } from './queued-path.fixture.ts';

export const keys = [peerKeySchema.parse(`0x${'11'.repeat(32)}`), peerKeySchema.parse(`0x${'22'.repeat(32)}`)] as const;
export const times = { pathTimeoutMs: 600_000, quietMs: 600_000, resumeMs: 600_000 };
export const ID = 'ab'.repeat(16);

/** Two connections and the paths between them; nothing moves by itself. */
export class Between {
  readonly near: Connection;
  far: Connection | undefined;
  readonly paths: (readonly [QueuedPath, QueuedPath])[] = [];
  readonly farStreams: MuxedStream[] = [];
  readonly ends: LatentError[] = [];
  /** How the newest path went. */
  presented: Presented | undefined;
  #generation = 0;
  #isKnown = false;

  constructor() {
    this.near = new Connection({ ...this.#options(), remoteKey: keys[1], isInitiator: true, maxInboundStreams: 0 });
  }

  #options() {
    const onEnded = (error: LatentError) => void this.ends.push(error);
    const onStream = (stream: MuxedStream) => void this.farStreams.push(stream);
    return { id: ID, times, onStream, onPathLost: () => undefined, onEnded };
  }

  /** The dialler has another path; its handshake is done on both sides. @returns both ends */
  addPath(): readonly [QueuedPath, QueuedPath] {
    const [near, far] = QueuedPath.pair(keys);
    this.paths.push([near, far]);
    acceptPath(far, {
      find: ({ isNew }) => {
        if (this.far === undefined && !isNew) expect.unreachable('the peer is said to know the connection');
        this.far ??= new Connection({
          ...this.#options(),
          remoteKey: keys[0],
          isInitiator: false,
          maxInboundStreams: 4,
        });
        return this.far;
      },
      onSettled: () => undefined,
    });
    this.#generation += 1;
    const presenting = { generation: this.#generation, isNew: !this.#isKnown, timeoutMs: 600_000 };
    this.presented = presentPath(this.near, near, presenting);
    void this.presented.attached.then((isAttached) => {
      this.#isKnown ||= isAttached;
    });
    return [near, far];
  }

  /** Everything that is on the way arrives, and what follows from it. */
  async settle(): Promise<void> {
    for (let idleRounds = 0; idleRounds < 3; idleRounds += 1) {
      for (const end of this.paths.flat()) while (end.deliver()) idleRounds = 0;
      await new Promise(setImmediate);
    }
  }

  close(): void {
    for (const connection of [this.near, this.far]) connection?.end({ code: 'CANCELLED', message: 'over' });
  }
}
