import { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { gatherWrites } from './gather-writes.ts';

/** A stream that notes what it is given at once. */
function openNoted() {
  const given: string[][] = [];
  const socket = new Duplex({
    read: () => undefined,
    writev: (chunks, done) => {
      given.push(chunks.map(({ chunk }) => String(chunk)));
      done();
    },
  });
  const gather = gatherWrites(socket);
  const send = (text: string) => {
    gather();
    socket.write(text);
  };
  return { given, socket, send };
}

test('what is written in one turn leaves together, in order, and what comes later by itself', async () => {
  const { given, send } = openNoted();
  send('a');
  await Promise.resolve();
  send('b');
  process.nextTick(() => send('c'));
  await nextTurn();
  await nextTurn();
  expect(given).toEqual([['a', 'b', 'c']]);
  send('d');
  await nextTurn();
  expect(given).toEqual([['a', 'b', 'c'], ['d']]);
});

test('an end takes what was gathered with it, and a stream that is gone is left alone', async () => {
  const { given, socket, send } = openNoted();
  send('a');
  socket.end('b');
  await nextTurn();
  expect(given).toEqual([['a', 'b']]);
  const gone = openNoted();
  gone.socket.on('error', () => undefined);
  gone.send('a');
  gone.socket.destroy();
  await nextTurn();
  expect(gone.given).toEqual([]);
});
