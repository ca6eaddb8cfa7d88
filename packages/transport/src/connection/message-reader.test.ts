import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_MESSAGE_BYTES } from '../transport.ts';
import { MessageReader } from './message-reader.ts';

/** A message as it is on a stream: its length before it, 32 bits, big end first. */
function frame(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + message.byteLength);
  new DataView(bytes.buffer).setUint32(0, message.byteLength);
  bytes.set(message, 4);
  return bytes;
}

function takeAll(reader: MessageReader): Uint8Array[] {
  const taken: Uint8Array[] = [];
  for (let next = reader.take(); next !== undefined; next = reader.take()) taken.push(next);
  return taken;
}

const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

describe('a message reader', () => {
  test('gives back the messages, in whatever pieces they come and whenever they are taken', () => {
    const sizes = fc.array(fc.oneof(fc.nat(20), fc.nat(50_000)), { maxLength: 8 });
    const pieces = fc.array(fc.record({ bytes: fc.nat(40_000), takesNow: fc.boolean() }), { maxLength: 30 });
    fc.assert(
      fc.property(sizes, pieces, (lengths, cuts) => {
        const messages = lengths.map((length) => Uint8Array.from({ length }, (_, at) => at * 3 + length));
        const bytes = Buffer.concat(messages.map(frame));
        const reader = new MessageReader();
        const taken: Uint8Array[] = [];
        let at = 0;
        for (const cut of [...cuts, { bytes: bytes.byteLength, takesNow: true }]) {
          const piece = Uint8Array.from(bytes.subarray(at, at + cut.bytes));
          at += piece.byteLength;
          reader.add(piece);
          // It was copied: its place may be used again.
          piece.fill(0xee);
          if (cut.takesNow) taken.push(...takeAll(reader));
        }
        expect(taken.map(toHex)).toEqual(messages.map(toHex));
        expect([reader.heldBytes, reader.hasMessage]).toEqual([0, false]);
      }),
    );
  });

  test('knows whether a complete message is there, also between two', () => {
    const reader = new MessageReader();
    const [first, second] = [frame(Uint8Array.of(1, 2, 3)), frame(Uint8Array.of(4))];
    reader.add(first.subarray(0, 6));
    expect(reader.hasMessage).toBe(false);
    reader.add(Buffer.concat([first.subarray(6), second, first.subarray(0, 2)]));
    expect(reader.hasMessage).toBe(true);
    expect(reader.take()).toEqual(Uint8Array.of(1, 2, 3));
    expect(reader.hasMessage).toBe(true);
    expect(reader.take()).toEqual(Uint8Array.of(4));
    expect(reader.hasMessage).toBe(false);
    expect(reader.heldBytes).toBe(2);
  });

  test('refuses a message that is too long by its length alone, behind those that are whole', () => {
    const reader = new MessageReader();
    const tooLong = Buffer.alloc(4);
    tooLong.writeUInt32BE(MAX_MESSAGE_BYTES + 1);
    reader.add(Buffer.concat([frame(Uint8Array.of(7)), tooLong]));
    expect(reader.take()).toEqual(Uint8Array.of(7));
    const refused = expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' });
    expect(() => reader.take()).toThrow(refused);
    expect(() => reader.add(Uint8Array.of(0))).toThrow(refused);
    expect(() => new MessageReader().add(tooLong)).toThrow(refused);
  });
});
