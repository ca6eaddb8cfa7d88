import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shellQuote } from './shell-quote.ts';

test('gives a shell back any text as it was', () => {
  const texts = fc.array(
    fc.string({ unit: 'binary' }).map((text) => text.replaceAll('\0', '')),
    { maxLength: 20 },
  );
  fc.assert(
    fc.property(texts, (words) => {
      const script = `printf '%s\\0' ${words.map(shellQuote).join(' ')}`;
      const output = execFileSync('/bin/sh', ['-c', words.length === 0 ? ':' : script], { timeout: 10_000 });
      expect(output.toString()).toBe(words.map((word) => `${Buffer.from(word).toString()}\0`).join(''));
    }),
    { numRuns: 50 },
  );
});
