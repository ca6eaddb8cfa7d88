import { expect, test } from 'vitest';
import { readArguments } from './read-arguments.ts';

test('without arguments nothing is chosen', () => {
  expect(readArguments([])).toEqual({
    name: undefined,
    json: false,
    save: false,
    runs: undefined,
    minutes: undefined,
  });
});

test('a name, how often, and what becomes of the result', () => {
  expect(readArguments(['launch', '--runs', '3', '--minutes', '2', '--save', '--json'])).toEqual({
    name: 'launch',
    json: true,
    save: true,
    runs: 3,
    minutes: 2,
  });
});

test.each([
  [['a', 'b']],
  [['gas', '--runs', '0']],
  [['gas', '--runs', '1.5']],
  [['gas', '--minutes', '0']],
  [['gas', '--fast']],
])('%j is refused with its usage', (argv) => {
  expect(() => readArguments(argv)).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', hint: expect.stringContaining('npm run bench') }),
  );
});
