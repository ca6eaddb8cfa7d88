import { describe, expect, it } from 'vitest';
import { readDurationMs } from './read-duration.ts';

describe('readDurationMs', () => {
  it.each([
    ['10s', 10_000],
    ['30m', 1_800_000],
    ['8h', 28_800_000],
    ['1.5d', 129_600_000],
    ['366d', 31_622_400_000],
  ])('reads %s', (text, ms) => {
    expect(readDurationMs(text)).toBe(ms);
  });

  it.each(['', '8', 'h', '8 h', '-1h', '0h', '9s', '0.1m', '8w', '1e3h', '367d', '9999999h'])(
    'refuses "%s"',
    (text) => {
      expect(() => readDurationMs(text)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    },
  );
});
