import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LatentError } from '../errors/latent-error.ts';
import { formatDollars, parseDollars } from './dollars.ts';

describe('dollars', () => {
  it('come back from their text exactly', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 18n - 1n }), (units) => {
        expect(parseDollars(formatDollars(units))).toBe(units);
      }),
    );
  });

  it('show nothing but zero as zero', () => {
    expect(formatDollars(0n)).toBe('$0.00');
    expect(formatDollars(1n)).toBe('$0.000001');
    expect(formatDollars(-1n)).toBe('-$0.000001');
    expect(formatDollars(2_500_000n)).toBe('$2.50');
    expect(formatDollars(-1_234_567n)).toBe('-$1.234567');
  });

  it.each(['', '$', '-1', '1e3', '.5', '1.', '1.0000001', '0x10', '1,000', 'NaN', '9'.repeat(13), '1 2', '١'])(
    'refuse %j instead of guessing',
    (text) => {
      expect(() => parseDollars(text)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    },
  );

  it('throw nothing but their own error on any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        try {
          return parseDollars(text) >= 0n;
        } catch (error) {
          return error instanceof LatentError;
        }
      }),
    );
  });
});
