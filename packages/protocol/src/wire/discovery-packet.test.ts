import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DISCOVERY_NONCE_BYTES,
  DISCOVERY_QUESTION_BYTES,
  decodeDiscoveryAnswer,
  decodeDiscoveryQuestion,
  encodeDiscoveryAnswer,
  encodeDiscoveryQuestion,
} from './discovery-packet.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const nonces = bytes(DISCOVERY_NONCE_BYTES);
const answers = fc.record({
  nonce: nonces,
  address: fc.oneof(bytes(4), bytes(16)),
  port: fc.integer({ min: 1, max: 65_535 }),
});

it('questions and answers come out as they went in', () => {
  fc.assert(
    fc.property(fc.constantFrom('same' as const, 'other' as const), nonces, answers, (kind, nonce, answer) => {
      expect(decodeDiscoveryQuestion(encodeDiscoveryQuestion({ kind, nonce }))).toEqual({ kind, nonce });
      expect(decodeDiscoveryAnswer(encodeDiscoveryAnswer(answer))).toEqual(answer);
    }),
  );
});

it('reading a packet leaves it as it is, in a Buffer too, and what was read outlives it', () => {
  fc.assert(
    fc.property(answers, (answer) => {
      const packet = Buffer.from(encodeDiscoveryAnswer(answer));
      const question = Buffer.from(encodeDiscoveryQuestion({ kind: 'same', nonce: answer.nonce }));
      const before = [packet.toString('hex'), question.toString('hex')];
      const read = [decodeDiscoveryAnswer(packet), decodeDiscoveryQuestion(question)];
      expect([packet.toString('hex'), question.toString('hex')]).toEqual(before);
      packet.fill(0);
      question.fill(0);
      expect(read).toEqual([answer, { kind: 'same', nonce: answer.nonce }]);
    }),
  );
});

const NONCE = '000102030405060708090a0b0c0d0e0f';
const ofHex = (hex: string) => Uint8Array.from(Buffer.from(hex, 'hex'));
const toHex = (packet: Uint8Array) => Buffer.from(packet).toString('hex');

describe('written by hand', () => {
  it.each([
    ['same', '01'],
    ['other', '02'],
  ] as const)('a question for an answer from the %s port', (kind, byte) => {
    const hex = `4c544131${byte}${NONCE}${'00'.repeat(43)}`;
    expect(toHex(encodeDiscoveryQuestion({ kind, nonce: ofHex(NONCE) }))).toBe(hex);
    expect(decodeDiscoveryQuestion(ofHex(hex))).toEqual({ kind, nonce: ofHex(NONCE) });
  });

  it.each([
    // Port 4433 is 1151; with the nonce's 0001 it is 1150. 203.0.113.7 is cb007107, its mask 02030405.
    ['203.0.113.7:4433', 'cb007107', 4433, `4c54413181${NONCE}04${'1150'}${'c9037502'}`],
    // Behind the 14 bytes that are left of the nonce it begins anew.
    [
      '[2001:db8::7]:65535',
      '20010db8000000000000000000000007',
      65535,
      `4c54413181${NONCE}06${'fffe'}${'220209bd060708090a0b0c0d0e0f0006'}`,
    ],
  ])('an answer that names %s', (_name, address, port, hex) => {
    const answer = { nonce: ofHex(NONCE), address: ofHex(address), port };
    expect(toHex(encodeDiscoveryAnswer(answer))).toBe(hex);
    expect(decodeDiscoveryAnswer(ofHex(hex))).toEqual(answer);
  });
});

it('a question is longer than any answer, and of one length', () => {
  fc.assert(
    fc.property(answers, fc.constantFrom('same' as const, 'other' as const), (answer, kind) => {
      const question = encodeDiscoveryQuestion({ kind, nonce: answer.nonce });
      expect(question.byteLength).toBe(DISCOVERY_QUESTION_BYTES);
      expect(encodeDiscoveryAnswer(answer).byteLength).toBeLessThan(question.byteLength);
    }),
  );
});

it('no packet is a question and an answer', () => {
  fc.assert(
    fc.property(answers, fc.constantFrom('same' as const, 'other' as const), (answer, kind) => {
      expect(decodeDiscoveryQuestion(encodeDiscoveryAnswer(answer))).toBeUndefined();
      expect(decodeDiscoveryAnswer(encodeDiscoveryQuestion({ kind, nonce: answer.nonce }))).toBeUndefined();
    }),
  );
});

it('nothing is read out of packets of another length, magic or kind', () => {
  const length = fc.nat(100);
  fc.assert(
    fc.property(answers, length, fc.nat(4), fc.integer({ min: 1, max: 255 }), (answer, cut, at, flip) => {
      for (const packet of [
        encodeDiscoveryAnswer(answer),
        encodeDiscoveryQuestion({ kind: 'same', nonce: answer.nonce }),
      ]) {
        const resized = new Uint8Array(cut);
        resized.set(packet.subarray(0, cut));
        if (cut !== packet.byteLength) {
          expect(decodeDiscoveryAnswer(resized)).toBeUndefined();
          expect(decodeDiscoveryQuestion(resized)).toBeUndefined();
        }
        const altered = packet.slice();
        altered[at] = (altered[at] ?? 0) ^ flip;
        expect(decodeDiscoveryAnswer(altered)).toBeUndefined();
        // The two kinds of questions are one bit pattern apart.
        expect(decodeDiscoveryQuestion(altered)?.kind).not.toBe('same');
      }
    }),
  );
});

it('an answer that names port 0 is none, and what is read has 4 or 16 bytes', () => {
  const zero = encodeDiscoveryAnswer({ nonce: ofHex(NONCE), address: ofHex('cb007107'), port: 0 });
  expect(decodeDiscoveryAnswer(zero)).toBeUndefined();
  const garbage = fc
    .uint8Array({ maxLength: 64 })
    .map((tail) => Uint8Array.from([0x4c, 0x54, 0x41, 0x31, 0x81, ...tail]));
  fc.assert(
    fc.property(garbage, (packet) => {
      const answer = decodeDiscoveryAnswer(packet);
      if (answer !== undefined) expect(toHex(encodeDiscoveryAnswer(answer))).toBe(toHex(packet));
    }),
    { numRuns: 2_000 },
  );
});
