import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatRecord, MOST_RECORD_CHARACTERS, type ProofRecord, parseRecord } from './proof-record.ts';

const record: ProofRecord = {
  device: { name: 'Test 9000 µ', class: 'gpu', engine: 'cuda' },
  observer: 'self',
  timesMs: { compute: 20_050.5, bandwidth: 10_001 },
  proof: Uint8Array.from({ length: 1000 }, (_, index) => index & 255),
};

describe('a proof record', () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 20_000 }), fc.string({ maxLength: 200 }), (proof, name) => {
        const own = { ...record, proof, device: { ...record.device, name } };
        expect(parseRecord(formatRecord(own))).toEqual(own);
      }),
      { numRuns: 30 },
    );
  });

  it.each([
    ['no JSON', 'LPF1', 'PROOF_MALFORMED'],
    ['another format', formatRecord(record).replace('latent proof 1', 'latent proof 2'), 'PROOF_MALFORMED'],
    ['a field too many', formatRecord(record).replace('{', '{"more":1,'), 'PROOF_MALFORMED'],
    ['a class that there is not', formatRecord(record).replace('"gpu"', '"quantum"'), 'PROOF_MALFORMED'],
    ['a time before it began', formatRecord(record).replace('20050.5', '-1'), 'PROOF_MALFORMED'],
    ['a time of a year', formatRecord(record).replace('20050.5', '31536000000'), 'PROOF_MALFORMED'],
    ['bytes that are no base64', formatRecord(record).replace(/"proof": "..../, '"proof": "*'), 'PROOF_MALFORMED'],
    ['base64 of a wrong length', formatRecord(record).replace(/"proof": ".*"/, '"proof": "A"'), 'PROOF_MALFORMED'],
    ['more than any record', ' '.repeat(MOST_RECORD_CHARACTERS + 1), 'PROOF_TOO_LARGE'],
  ])('is refused with %s', (_, text, code) => {
    expect(() => parseRecord(text)).toThrow(expect.objectContaining({ code }));
  });

  it.each([
    ['an escape sequence', 'a\u001b[2Jb'],
    ['a line end', 'a\nb'],
    ['a tab', 'a\tb'],
    ['a deletion', 'a\u007fb'],
    ['a control of C1', 'a\u009bb'],
    ['a next line of C1', 'a\u0085b'],
    ['an order turned around', 'a\u202eb'],
    ['an isolated order', 'a\u2066b'],
    ['a mark of direction', 'a\u200fb'],
    ['something that takes no place', 'a\u200bb'],
    ['a separator of lines', 'a\u2028b'],
    ['a separator of paragraphs', 'a\u2029b'],
    ['half a character', 'a\ud83db'],
    ['more than 200 characters', 'a'.repeat(201)],
  ])('is refused with %s in any of its texts', (_, text) => {
    for (const altered of [
      { ...record, observer: text },
      { ...record, device: { ...record.device, name: text } },
      { ...record, device: { ...record.device, engine: text } },
    ]) {
      expect(() => parseRecord(formatRecord(altered))).toThrow(expect.objectContaining({ code: 'PROOF_MALFORMED' }));
    }
  });

  it('is taken with names in any language', () => {
    for (const name of ['Test 9000 µ™ (R)', '計算機 7', 'вычислитель', '🖥 e\u0301']) {
      const own = { ...record, device: { ...record.device, name } };
      expect(parseRecord(formatRecord(own))).toEqual(own);
    }
  });

  it('is refused, and nothing else happens, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(() => parseRecord(text)).toThrow(expect.objectContaining({ code: 'PROOF_MALFORMED' }));
      }),
    );
  });
});
