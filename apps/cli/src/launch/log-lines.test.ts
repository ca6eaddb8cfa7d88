import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLineCutter, withoutControls } from './log-lines.ts';

describe('createLineCutter', () => {
  it('gives the same lines however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ unit: 'grapheme-ascii' }).map((text) => text.replaceAll('\n', ''))),
        fc.array(fc.integer({ min: 1, max: 7 }), { minLength: 1 }),
        (lines, sizes) => {
          const bytes = new TextEncoder().encode(lines.map((line) => `${line}\n`).join(''));
          const cutter = createLineCutter();
          const got: string[] = [];
          for (let offset = 0, turn = 0; offset < bytes.length; turn += 1) {
            const size = sizes[turn % sizes.length] ?? 1;
            got.push(...cutter.push(bytes.subarray(offset, offset + size)));
            offset += size;
          }
          expect([...got, ...cutter.flush()]).toEqual(lines.map(withoutControls));
        },
      ),
    );
  });

  it('keeps letters whole that are cut in the middle', () => {
    const cutter = createLineCutter();
    const bytes = new TextEncoder().encode('größe\n');
    expect([...cutter.push(bytes.subarray(0, 3)), ...cutter.push(bytes.subarray(3))]).toEqual(['größe']);
  });

  it('gives a line without an end at the flush', () => {
    const cutter = createLineCutter();
    expect(cutter.push(new TextEncoder().encode('no end'))).toEqual([]);
    expect(cutter.flush()).toEqual(['no end']);
  });

  it('does not let an endless line fill the memory', () => {
    const cutter = createLineCutter();
    const lines = cutter.push(new TextEncoder().encode('x'.repeat(100_000)));
    expect(lines).toHaveLength(1);
    expect(cutter.flush()).toEqual([]);
  });

  it('takes what would move the cursor or rename the terminal out of a stranger’s line', () => {
    expect(withoutControls('a\u001b]0;owned\u0007b\u001b[2Jc\td')).toBe('a]0;ownedb[2Jc\td');
  });
});
