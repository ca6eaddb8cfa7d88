import { expect, test } from 'vitest';
import { Incoming } from './incoming.ts';
import { MAX_UNACKNOWLEDGED_BYTES, Outgoing } from './outgoing.ts';

const refused = expect.objectContaining({ code: 'MESSAGE_INVALID' });

test('what was not sent yet can neither be acknowledged nor have been received', () => {
  const outgoing = new Outgoing(1);
  outgoing.append([new Uint8Array(10)]);
  expect(() => outgoing.acknowledge(1)).toThrow(refused);
  expect(() => outgoing.resumeFrom(1)).toThrow(refused);
  outgoing.next(4);
  expect(() => outgoing.acknowledge(5)).toThrow(refused);
  outgoing.acknowledge(3);
  expect(outgoing.heldBytes).toBe(7);
  // On another path it may begin earlier, but what was once sent can have been received.
  outgoing.restart(outgoing.resumeFrom(3));
  expect(outgoing.resumeFrom(4)).toBe(4);
});

test('a path goes on where the peer says, or behind what it has acknowledged since', () => {
  const outgoing = new Outgoing(1);
  outgoing.append([Uint8Array.of(0, 1, 2, 3, 4, 5)]);
  outgoing.next(6);
  outgoing.acknowledge(4);
  expect(outgoing.resumeFrom(2)).toBe(4);
  outgoing.restart(4);
  expect(Buffer.concat(outgoing.next(10))).toEqual(Buffer.from([4, 5]));
  expect(outgoing.isAllSent).toBe(true);
});

test('there is no room while too much waits for the path, or for the peer', () => {
  const outgoing = new Outgoing(1);
  outgoing.append([new Uint8Array(128 * 1024)]);
  expect(outgoing.hasRoom).toBe(false);
  outgoing.next(1);
  expect(outgoing.hasRoom).toBe(true);
  outgoing.append([new Uint8Array(MAX_UNACKNOWLEDGED_BYTES)]);
  while (!outgoing.isAllSent) outgoing.next(64 * 1024);
  expect(outgoing.hasRoom).toBe(false);
  outgoing.acknowledge(200 * 1024);
  expect(outgoing.hasRoom).toBe(true);
});

test('what arrives is let in once, and never with a gap', () => {
  const incoming = new Incoming(() => undefined);
  expect([...incoming.take(Uint8Array.of(0, 1, 2), 0)]).toEqual([0, 1, 2]);
  expect([...incoming.take(Uint8Array.of(1, 2, 3), 1)]).toEqual([3]);
  expect([...incoming.take(Uint8Array.of(0, 1), 0)]).toEqual([]);
  expect(() => incoming.take(Uint8Array.of(5), 5)).toThrow(refused);
  expect(incoming.received).toBe(4);
});

test('the peer is told at once of much, and a moment later of little', async () => {
  let told = 0;
  const much = new Incoming(() => {
    told += 1;
  });
  much.take(new Uint8Array(256 * 1024), 0);
  much.scheduleTelling();
  expect(told).toBe(1);
  much.told(much.received);
  much.scheduleTelling();
  expect([told, much.mustTell]).toEqual([1, false]);
  const later = Promise.withResolvers<void>();
  const little = new Incoming(() => later.resolve());
  little.take(Uint8Array.of(1), 0);
  little.scheduleTelling();
  expect(little.mustTell).toBe(true);
  await later.promise;
});
