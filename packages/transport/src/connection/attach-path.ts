import { LatentError } from '@latent/protocol';
import type { Path } from '../paths/path.ts';
import type { Connection } from './connection.ts';
import {
  type Attach,
  decodePathMessage,
  encodeAttach,
  encodeAttached,
  encodeGoodbye,
  type Goodbye,
} from './path-message.ts';

/** How a path to be attached went. */
export interface Presented {
  /** The peer has answered, and the connection uses the path; false when the path ended before. Never rejects. */
  readonly attached: Promise<boolean>;
}

/**
 * The dialling side tells the peer which connection a path is for. A connection that is new sends at once; one that goes on waits until
 * the peer has said how far it received.
 */
export function presentPath(connection: Connection, path: Path, generation: number, isNew: boolean): Presented {
  const { promise: attached, resolve } = Promise.withResolvers<boolean>();
  const toldReceived = connection.received;
  let offset = toldReceived;
  let isAnswered = false;
  const isFirst = isNew && connection.route === undefined && connection.generation === 0;
  path.start({
    onMessage: orDrop(connection, path, (bytes) => {
      const message = decodePathMessage(bytes);
      if (isAnswered || message.kind === 'goodbye') {
        offset = connection.receive(path, message, offset);
        return;
      }
      if (message.kind !== 'attached')
        throw new LatentError('MESSAGE_INVALID', 'The peer did not answer the attachment.');
      isAnswered = true;
      if (!isFirst && generation > connection.generation) {
        connection.attach(path, { generation, peerReceived: message.received, toldReceived });
      }
      // A younger path was quicker.
      if (connection.generation > generation) path.destroy();
      resolve(connection.generation === generation);
    }),
    onUnordered: (bytes) => connection.receiveDatagram(bytes),
    onDrain: () => connection.drained(path),
    onEnded: () => {
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
  path.start({
    onMessage: (bytes) => {
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
        if (attach.generation <= found.generation) return path.destroy();
        connection = found;
        const { received } = connection;
        offset = received;
        path.sendMessage(encodeAttached(received));
        const { generation, received: peerReceived } = attach;
        connection.attach(path, { generation, peerReceived, toldReceived: received });
      } catch (thrown) {
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
