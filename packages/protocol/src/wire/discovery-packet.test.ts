import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  DISCOVERY_NONCE_BYTES,
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
