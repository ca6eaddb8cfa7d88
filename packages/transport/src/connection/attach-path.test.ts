import { LatentError } from '@latent/protocol';
import { describe, expect, test } from 'vitest';
import { acceptPath, type Presented, presentPath } from './attach-path.ts';
import { ID, keys, times } from './between.fixture.ts';
import { Connection } from './connection.ts';
import {
  DATA_TAG,
  decodePathMessage,
  encodeAck,
  encodeAttach,
  encodeAttached,
  encodeGoodbye,
  type PathMessage,
  PING,
} from './path-message.ts';
import { QueuedPath } from './queued-path.fixture.ts';

const drop = () => undefined;

function openConnection(isInitiator: boolean): Connection {
  const [near, far] = keys;
  const remoteKey = isInitiator ? far : near;
  const listening = { onStream: drop, onPathLost: drop, onEnded: drop };
  return new Connection({ id: ID, times, ...listening, remoteKey, isInitiator, maxInboundStreams: 4 });
}

/** The other end of a path, at which a test says whatever it likes. */
interface Stranger {
  say(message: Uint8Array): void;
  /** What it was told since the last time. */
  heard(): PathMessage[];
  readonly path: QueuedPath;
}

function strangerAt(path: QueuedPath, other: QueuedPath): Stranger {
  const messages: PathMessage[] = [];
  path.start({
    onMessage: (bytes) => messages.push(decodePathMessage(bytes)),
    onUnordered: drop,
    onDrain: drop,
    onEnded: drop,
  });
  const heard = () => {
    while (path.deliver());
    return messages.splice(0);
  };
  const say = (message: Uint8Array) => {
    path.sendMessage(message);
    while (other.deliver());
  };
  return { say, heard, path };
}

const attach = (generation: number, received = 0) => encodeAttach({ id: ID, generation, isNew: true, received });

describe('a peer that dials', () => {
  interface Accepting {
    readonly connection: Connection;
    /** Another path of the peer. */
    readonly dial: () => Stranger & { readonly settled: () => number };
  }

  function accept(): Accepting {
    const connection = openConnection(false);
    const dial = () => {
      const [near, far] = QueuedPath.pair(keys);
      let settled = 0;
      acceptPath(far, {
        find: () => connection,
        onSettled: () => {
          settled += 1;
        },
      });
      return { ...strangerAt(near, far), settled: () => settled };
    };
    return { connection, dial };
  }

  test('is told from where both sides go on', () => {
    const { connection, dial } = accept();
    const first = dial();
    first.say(attach(1));
    expect(first.heard()[0]).toEqual({ kind: 'attached', received: 0, from: 0 });
    // A ping of the multiplexer: 12 bytes, which is answered with as many.
    first.say(Uint8Array.of(DATA_TAG, 0, 2, 0, 1, ...new Uint8Array(8)));
    const second = dial();
    second.say(attach(2, 5));
    expect(second.heard()[0]).toEqual({ kind: 'attached', received: 12, from: 5 });
    connection.fail(new LatentError('STREAM_CLOSED', 'over'));
  });

  test('is not held to what it said before it acknowledged more on another path', () => {
    const { connection, dial } = accept();
    const first = dial();
    first.say(attach(1));
    first.say(Uint8Array.of(DATA_TAG, 0, 2, 0, 1, ...new Uint8Array(8)));
    first.say(encodeAck(12));
    expect(connection.heldBytes).toBeLessThan(13);
    const second = dial();
    second.say(attach(2, 5));
    const [answer, data] = second.heard();
    expect(answer).toEqual({ kind: 'attached', received: 12, from: 12 });
    expect(data?.kind === 'data' ? data.bytes.byteLength : 0).toBe(connection.heldBytes);
    connection.fail(new LatentError('STREAM_CLOSED', 'over'));
  });

  test.each([
    ['says something else first', PING, 'MESSAGE_INVALID'],
    ['says garbage first', Uint8Array.of(5, 5), 'MESSAGE_INVALID'],
    ['received what was never sent', attach(1, 1), 'MESSAGE_INVALID'],
  ])('is refused when it %s, and the path is of no use from then on', (_name, first, code) => {
    const { connection, dial } = accept();
    const peer = dial();
    peer.say(first);
    peer.say(attach(7));
    expect(peer.heard()).toMatchObject([{ kind: 'goodbye', code }]);
    expect(peer.settled()).toBeGreaterThan(0);
    expect([connection.route, connection.failure]).toEqual([undefined, undefined]);
    connection.fail(new LatentError('STREAM_CLOSED', 'over'));
  });

  test.each([
    ['acknowledges what was never sent', encodeAck(2 ** 30)],
    ['attaches the path a second time', attach(2)],
    ['answers an attachment that nobody made', encodeAttached({ received: 0, from: 0 })],
    ['says garbage', Uint8Array.of(99)],
    ['breaks the rules of the multiplexer', Uint8Array.of(DATA_TAG, ...new Uint8Array(12).fill(9))],
  ])('loses the connection when it %s', (_name, message) => {
    const { connection, dial } = accept();
    const peer = dial();
    peer.say(attach(1));
    peer.say(message);
    expect(connection.failure).toBeInstanceOf(LatentError);
    expect(connection.route).toBeUndefined();
    peer.heard();
    expect(peer.path.isOver).toBe(true);
  });

  test('is not taken back to a path that is older than the newest', () => {
    const { connection, dial } = accept();
    const young = dial();
    young.say(attach(5));
    for (const generation of [4, 5]) {
      const old = dial();
      old.say(attach(generation));
      expect(old.heard()).toEqual([]);
      expect(old.path.isOver).toBe(true);
    }
    young.say(PING);
    expect(young.heard().map(({ kind }) => kind)).toContain('pong');
    connection.fail(new LatentError('STREAM_CLOSED', 'over'));
  });

  test('may go without a word: the path is settled', () => {
    const { connection, dial } = accept();
    const peer = dial();
    peer.path.cut();
    expect(peer.settled()).toBe(0);
    peer.say(PING);
    expect(peer.settled()).toBe(1);
    connection.fail(new LatentError('STREAM_CLOSED', 'over'));
  });
});

describe('a peer that is dialled', () => {
  interface Dialling {
    readonly connection: Connection;
    readonly dial: (timeoutMs?: number) => Stranger & Presented;
  }

  function dialled(): Dialling {
    const connection = openConnection(true);
    let generation = 0;
    const dial = (timeoutMs = 600_000) => {
      const [near, far] = QueuedPath.pair(keys);
      generation += 1;
      const presented = presentPath(connection, near, { generation, isNew: generation === 1, timeoutMs });
      return { ...strangerAt(far, near), ...presented };
    };
    return { connection, dial };
  }

  test('hears which connection a path is for, how new it is, and how far we have received', async () => {
    const { connection, dial } = dialled();
    const first = dial();
    expect(first.heard()[0]).toEqual({ kind: 'attach', id: ID, generation: 1, isNew: true, received: 0 });
    first.say(encodeAttached({ received: 0, from: 0 }));
    expect(await first.attached).toBe(true);
    first.say(Uint8Array.of(DATA_TAG, 0, 2, 0, 1, ...new Uint8Array(8)));
    const second = dial();
    expect(second.heard()[0]).toEqual({ kind: 'attach', id: ID, generation: 2, isNew: false, received: 12 });
    connection.fail(new LatentError('STREAM_CLOSED', 'over'));
  });

  test.each([
    ['answers something else', PING],
    ['says that it received what was never sent', encodeAttached({ received: 2 ** 40, from: 0 })],
    ['goes on behind what we have received', encodeAttached({ received: 0, from: 1 })],
    ['answers garbage', Uint8Array.of(6)],
  ])('loses the connection when it %s', async (_name, message) => {
    const { connection, dial } = dialled();
    const peer = dial();
    peer.say(message);
    expect(connection.failure?.code).toBe('MESSAGE_INVALID');
    while (peer.path.deliver());
    expect(peer.path.isOver).toBe(true);
  });

  test('loses the connection when it forgets on a new path what it had acknowledged', async () => {
    const { connection, dial } = dialled();
    await connection.openStream();
    const first = dial();
    first.say(encodeAttached({ received: 0, from: 0 }));
    const sentBytes = connection.heldBytes;
    first.say(encodeAck(sentBytes));
    expect(connection.heldBytes).toBe(0);
    dial().say(encodeAttached({ received: sentBytes - 1, from: 0 }));
    expect(connection.failure?.code).toBe('MESSAGE_INVALID');
  });

  test('is believed when it says goodbye instead of an answer', async () => {
    const { connection, dial } = dialled();
    dial().say(encodeGoodbye({ code: 'NOT_ALLOWED', message: 'Too many.' }));
    expect(connection.failure?.message).toBe('The peer ended the connection (NOT_ALLOWED): Too many.');
    expect(connection.failure?.details).toEqual({ code: 'NOT_ALLOWED' });
  });

  test('is given up on a path on which it does not answer in time', async () => {
    const { connection, dial } = dialled();
    const first = dial();
    first.say(encodeAttached({ received: 0, from: 0 }));
    const mute = dial(20);
    while (!mute.path.deliver() || !mute.path.isOver) await new Promise(setImmediate);
    expect(connection.route).toBeDefined();
    connection.fail(new LatentError('STREAM_CLOSED', 'over'));
  });
});
