import { describe, expect, it } from 'vitest';
import { readProgress } from './progress.ts';

describe('readProgress', () => {
  it('reads what a job says of its progress', () => {
    expect(readProgress('::progress {"epoch":3,"loss":0.5,"note":"warm"}')).toEqual({
      epoch: 3,
      loss: 0.5,
      note: 'warm',
    });
  });

  it.each([
    'epoch 3',
    '::progress',
    '::progress {',
    '::progress [1]',
    '::progress {"a":{"b":1}}',
    `::progress {"a":"${'x'.repeat(65)}"}`,
  ])('takes %s for an ordinary line', (line) => {
    expect(readProgress(line)).toBeUndefined();
  });

  it('refuses more fields than a screen has room for', () => {
    const many = Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`f${index}`, index]));
    expect(readProgress(`::progress ${JSON.stringify(many)}`)).toBeUndefined();
  });
});
