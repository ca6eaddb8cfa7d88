import { LatentError } from '@latent/protocol';
import type { Path } from '../paths/path.ts';
import { after } from '../timers.ts';
import type { Connection } from './connection.ts';
import {
  type Attach,
  decodePathMessage,
  encodeAttach,
  encodeAttached,
  encodeGoodbye,
  type Goodbye,
  type PathMessage,
} from './path-message.ts';

/** How a path to be attached went. */
export interface Presented {
  /** The peer has answered, and the connection uses the path; false when the path ended before. Never rejects. */
  readonly attached: Promise<boolean>;
}

export interface PresentPathOptions {
  /** Of the path: higher than that of any before. */
  readonly generation: number;
  /** The peer may not know the connection yet. */
  readonly isNew: boolean;
  /** A path on which the peer has not answered for so long is dropped. */
  readonly timeoutMs: number;
}

/**
 * The dialling side tells the peer which connection a path is for. A connection that is new sends at once; one that goes on waits until
 * the peer has said how far it received.
 */
export function presentPath(connection: Connection, path: Path, options: PresentPathOptions): Presented {
  const { generation, isNew } = options;
  const { promise: attached, resolve } = Promise.withResolvers<boolean>();
  const toldReceived = connection.received;
  const isFirst = isNew && connection.route === undefined && connection.generation === 0;
  let offset: number | undefined;
  const stopTimer = after(options.timeoutMs, () => path.destroy());
  const answered = (message: PathMessage) => {
    if (message.kind !== 'attached')
      throw new LatentError('MESSAGE_INVALID', 'The peer did not answer the attachment.');
    stopTimer();
    // A younger path was quicker, or nobody waits any more.
    if (connection.generation > generation || connection.failure !== undefined) return path.destroy();
    const { received, from } = message;
    if (from < toldReceived || from > connection.received || connection.resumeFrom(received) !== received) {
      throw new LatentError('MESSAGE_INVALID', 'The peer goes on where it cannot have been.');
    }
    offset = from;
    if (!isFirst) connection.attach(path, { generation, peerReceived: received, toldReceived });
    resolve(true);
  };
  path.start({
    onMessage: orDrop(connection, path, (bytes) => {
      const message = decodePathMessage(bytes);
      if (message.kind === 'goodbye') connection.receive(path, message, 0);
      else if (offset === undefined) answered(message);
      else offset = connection.receive(path, message, offset);
    }),
    onUnordered: (bytes) => connection.receiveDatagram(bytes),
    onDrain: () => connection.drained(path),
    onEnded: () => {
      stopTimer();
      connection.lost(path);
      resolve(false);
    },
  });
  path.sendMessage(encodeAttach({ id: connection.id, generation, isNew, received: toldReceived }));
  if (isFirst) connection.attach(path, { generation, peerReceived: 0, toldReceived });
  return { attached };
}

export interface AcceptPathOptions {
  /** The connection that the peer means; throws where it is to have none. */
  readonly find: (attach: Attach) => Connection;
  /** The path has shown what it is for, or is gone. */
  readonly onSettled: () => void;
}

/** The accepting side waits to hear which connection a path is for, and goes on with it there. */
export function acceptPath(path: Path, { find, onSettled }: AcceptPathOptions): void {
  let connection: Connection | undefined;
  let offset = 0;
  let isRefused = false;
  path.start({
    onMessage: (bytes) => {
      if (isRefused) return;
      if (connection !== undefined) {
        const found = connection;
        orDrop(found, path, () => {
          offset = found.receive(path, decodePathMessage(bytes), offset);
        })(bytes);
        return;
      }
      onSettled();
      try {
        const attach = expectAttach(bytes);
        const found = find(attach);
        // A younger path was quicker.
        isRefused = attach.generation <= found.generation;
        if (isRefused) return path.destroy();
        const { generation, received: peerReceived } = attach;
        const { received } = found;
        path.sendMessage(encodeAttached({ received, from: found.resumeFrom(peerReceived) }));
        connection = found;
        offset = received;
        found.attach(path, { generation, peerReceived, toldReceived: received });
      } catch (thrown) {
        isRefused = true;
        path.sendMessage(encodeGoodbye(toGoodbye(thrown)));
        path.end();
      }
    },
    onUnordered: (bytes) => connection?.receiveDatagram(bytes),
    onDrain: () => connection?.drained(path),
    onEnded: () => {
      onSettled();
      connection?.lost(path);
    },
  });
}

function expectAttach(bytes: Uint8Array): Attach {
  const message = decodePathMessage(bytes);
  if (message.kind === 'attach') return message;
  throw new LatentError('MESSAGE_INVALID', 'The first message on a path says which connection it is for.');
}

/**
 * A peer that breaks the rules on a path loses the whole connection: what it sent was sealed by it, so that nobody else can have
 * garbled it.
 */
function orDrop(connection: Connection, path: Path, work: (bytes: Uint8Array) => void): (bytes: Uint8Array) => void {
  return (bytes) => {
    try {
      work(bytes);
    } catch (thrown) {
      path.destroy();
      connection.fail(
        thrown instanceof LatentError
          ? thrown
          : new LatentError('STREAM_CLOSED', 'The peer broke the rules of the connection.', { cause: thrown }),
      );
    }
  };
}

function toGoodbye(thrown: unknown): Goodbye {
  if (thrown instanceof LatentError) return { code: thrown.code, message: thrown.message };
  return { code: 'INTERNAL', message: 'The connection was refused.' };
}
