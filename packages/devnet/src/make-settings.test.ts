import { expect, test } from 'vitest';
import { defaultSettings, makeSettings } from './make-settings.ts';

test('takes the defaults for what is not wished for', () => {
  expect(makeSettings({ operators: 3, seed: undefined }, undefined)).toEqual({ ...defaultSettings, operators: 3 });
});

test('takes what the network was made with for what is not wished for', () => {
  const made = { ...defaultSettings, operators: 2, seed: 'mine' };
  expect(makeSettings({}, made)).toEqual(made);
  expect(makeSettings({ operators: 2 }, made)).toEqual(made);
});

test('refuses to change a network, naming each difference', () => {
  const made = { ...defaultSettings, operators: 2, seed: 'mine' };
  expect(() => makeSettings({ operators: 6, seed: 'other' }, made)).toThrow(
    'The network in this folder was made with seed mine, not other; operators 2, not 6.',
  );
});

test.each([{ operators: 0 }, { operators: 65 }, { feeBps: 51 }, { blockTimeSeconds: 0 }, { stakePerAgent: -1n }])(
  'refuses %o',
  (wished) => {
    expect(() => makeSettings(wished, undefined)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
  },
);
