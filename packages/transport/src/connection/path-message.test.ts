import { LatentError } from '@latent/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DATA_TAG,
  DATAGRAM_TAG,
  decodePathMessage,
  encodeAck,
  encodeAttach,
  encodeAttached,
  encodeGoodbye,
  PING,
  PONG,
} from './path-message.ts';

const offset = fc.maxSafeNat().map((value) => value % 2 ** 48);
const id = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex'));
const attach = fc.record({
  id,
  generation: fc.nat(2 ** 32 - 1),
  isNew: fc.boolean(),
  received: offset,
});
const goodbye = fc.record({
  code: fc.constantFrom('CANCELLED', 'NOT_ALLOWED'),
  message: fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.constant('\u0000'.repeat(500)),
    fc.constant('€'.repeat(500)),
  ),
});
const encoded = fc.oneof(
  attach.map(encodeAttach),
  fc.record({ received: offset, from: offset }).map(encodeAttached),
  offset.map(encodeAck),
  goodbye.map(encodeGoodbye),
  fc.constantFrom(PING, PONG),
);

describe('a message on a path', () => {
  test('is read as what was written', () => {
    fc.assert(
      fc.property(attach, offset, offset, goodbye, (attachment, received, from, reason) => {
        expect(decodePathMessage(encodeAttach(attachment))).toEqual({ kind: 'attach', ...attachment });
        expect(decodePathMessage(encodeAttached({ received, from }))).toEqual({ kind: 'attached', received, from });
        expect(decodePathMessage(encodeAck(received))).toEqual({ kind: 'ack', received });
        expect(decodePathMessage(encodeGoodbye(reason))).toMatchObject({ kind: 'goodbye', code: reason.code });
      }),
    );
    expect([PING, PONG].map((bytes) => decodePathMessage(bytes))).toEqual([{ kind: 'ping' }, { kind: 'pong' }]);
    const bytes = Uint8Array.of(9, 8);
    expect(decodePathMessage(Uint8Array.of(DATA_TAG, 9, 8))).toEqual({ kind: 'data', bytes });
    expect(decodePathMessage(Uint8Array.of(DATAGRAM_TAG, 9, 8))).toEqual({ kind: 'datagram', bytes });
  });

  test('says goodbye in at most 500 characters, and in the words that were meant', () => {
    const told = decodePathMessage(encodeGoodbye({ code: 'CANCELLED', message: `"${'ü'.repeat(600)}` }));
    expect(told).toEqual({ kind: 'goodbye', code: 'CANCELLED', message: `"${'ü'.repeat(499)}` });
  });

  test('is refused as invalid and nothing else, when it is garbage or a good one was altered', () => {
    const altered = fc
      .tuple(encoded, fc.nat(), fc.nat(255), fc.integer({ min: -3, max: 3 }))
      .map(([bytes, at, value, longer]) => {
        const copy = new Uint8Array(Math.max(0, bytes.byteLength + longer));
        copy.set(bytes.subarray(0, copy.byteLength));
        if (copy.byteLength > 0) copy[at % copy.byteLength] = value;
        return copy;
      });
    const garbage = fc
      .tuple(fc.nat(9), fc.uint8Array({ maxLength: 80 }))
      .map(([kind, bytes]) => Uint8Array.of(kind, ...bytes));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), altered, garbage), (bytes) => {
        try {
          expect(decodePathMessage(bytes).kind).toBeTypeOf('string');
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(LatentError);
          expect(thrown).toMatchObject({ code: 'MESSAGE_INVALID' });
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test.each([
    ['nothing at all', []],
    ['a kind that there is not', [8]],
    ['an acknowledgement that is too long', [...encodeAck(5), 0]],
    ['an answer to an attachment that is too short', [...encodeAttached({ received: 5, from: 5 })].slice(0, -1)],
    ['a goodbye that is too long', [7, ...Buffer.from(JSON.stringify({ code: 'X', message: ' '.repeat(5_000) }))]],
    ['a goodbye without a reason', [7, ...Buffer.from('{}')]],
    ['a goodbye that is no JSON', [7, 0xff, 0xfe]],
  ])('is refused when it is %s', (_name, bytes) => {
    expect(() => decodePathMessage(Uint8Array.from(bytes))).toThrow(
      expect.objectContaining({ code: 'MESSAGE_INVALID' }),
    );
  });

  test('of another version of paths is refused with both versions', () => {
    const message = encodeAttach({ id: '00'.repeat(16), generation: 1, isNew: true, received: 0 });
    message[1] = 9;
    expect(() => decodePathMessage(message)).toThrow('version 9 of paths; this is 1');
  });
});
