import { randomBytes } from 'node:crypto';
import { decodeDiscoveryAnswer, encodeDiscoveryQuestion } from '@latent/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { answerQuestion } from './answer-question.ts';

const kinds = fc.constantFrom('same' as const, 'other' as const);
const ports = fc.integer({ min: 1, max: 65_535 });
const addresses = fc.oneof(fc.ipV4(), fc.ipV6());

describe('an answer', () => {
  it('says where the question came from, to the one who knows its nonce, and is shorter than it', () => {
    fc.assert(
      fc.property(kinds, addresses, ports, (kind, address, port) => {
        const nonce = randomBytes(16);
        const question = encodeDiscoveryQuestion({ kind, nonce });
        const answered = answerQuestion(question, { address, port });
        expect(answered?.isFromOther).toBe(kind === 'other');
        expect(answered?.answer.byteLength).toBeLessThan(question.byteLength);
        const read = decodeDiscoveryAnswer(answered?.answer ?? new Uint8Array());
        expect(read).toMatchObject({ port });
        expect(Buffer.from(read?.nonce ?? [])).toEqual(nonce);
      }),
    );
  });

  it('tells an IPv4 address as one, also where a socket for both has it within IPv6', () => {
    const question = encodeDiscoveryQuestion({ kind: 'same', nonce: randomBytes(16) });
    for (const address of ['203.0.113.7', '::ffff:203.0.113.7']) {
      const { answer } = answerQuestion(question, { address, port: 4_433 }) ?? {};
      expect(decodeDiscoveryAnswer(answer ?? new Uint8Array())?.address).toEqual(Uint8Array.of(203, 0, 113, 7));
    }
  });

  it('is none to anything but a question, byte for byte as it has to be, least of all to an answer', () => {
    const question = encodeDiscoveryQuestion({ kind: 'same', nonce: randomBytes(16) });
    const source = { address: '203.0.113.7', port: 4_433 };
    const { answer = new Uint8Array() } = answerQuestion(question, source) ?? {};
    for (const packet of [answer, question.subarray(1), Buffer.concat([question, Buffer.alloc(1)]), Buffer.alloc(64)]) {
      expect(answerQuestion(packet, source)).toBeUndefined();
    }
    for (let at = 0; at < 5; at += 1) {
      const wrong = Buffer.from(question);
      wrong[at] = 0xff;
      expect(answerQuestion(wrong, source)).toBeUndefined();
    }
    expect(answerQuestion(question, { ...source, port: 0 })).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (packet) => {
        expect(answerQuestion(packet, source)).toBeUndefined();
      }),
    );
  });
});
