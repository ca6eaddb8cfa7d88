import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { visibleText } from './visible-text.ts';

describe('visibleText', () => {
  it.each([
    ['an escape sequence', '\u001b[2J', '\ufffd[2J'],
    ['a line end', 'a\r\nb', 'a\ufffd\ufffdb'],
    ['a control of C1, which starts a sequence by itself', '\u009b2J', '\ufffd2J'],
    ['an order turned around', 'a\u202eb\u2066c', 'a\ufffdb\ufffdc'],
    ['separators of lines and paragraphs', '\u2028\u2029', '\ufffd\ufffd'],
    ['half a character', 'a\ud83d', 'a\ufffd'],
  ])('replaces %s', (_, text, shown) => {
    expect(visibleText(text)).toBe(shown);
  });

  it('leaves words of any language as they are', () => {
    for (const text of ['Test 9000 µ™ (R)', 'Großrechner', '計算機 7', 'вычислитель'])
      expect(visibleText(text)).toBe(text);
  });

  it('makes of any text what a record of a proof may hold', async () => {
    const { formatRecord, parseRecord } = await import('@latent/proof');
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const name = visibleText(text.slice(0, 200));
        const device = { name, class: 'gpu', engine: 'cuda' } as const;
        const record = formatRecord({
          device,
          observer: 'self',
          timesMs: { compute: 1, bandwidth: 1 },
          proof: new Uint8Array(),
        });
        expect(parseRecord(record).device.name).toBe(name);
      }),
    );
  });
});
