import { formatRecord, MOST_RECORD_CHARACTERS } from '../../challenge/proof-record.ts';
import type { Dice } from './dice.ts';

type Mutation = (dice: Dice, text: string) => string;

const odd = [
  '',
  '0',
  '-1',
  '1e999',
  'null',
  '[]',
  '{}',
  '""',
  '"\\u0000"',
  '"gpu "',
  'true',
  '"=="',
  '"////"',
] as const;

const mutations: readonly [Mutation, ...Mutation[]] = [
  (dice, text) => text.slice(0, dice.below(text.length)),
  (dice, text) => replaced(text, dice.below(text.length), 1, String.fromCharCode(dice.below(0x1_0000))),
  (dice, text) => replaced(text, dice.below(text.length), dice.below(40), ''),
  (dice, text) => text + String.fromCharCode(32 + dice.below(90)),
  // A value of some field, whatever it was, becomes another.
  (dice, text) => {
    const values = [...text.slice(0, 600).matchAll(/: ("[^"]*"|[\d.]+)/g)];
    const value = values[dice.below(values.length)];
    if (value === undefined) return '';
    return replaced(text, value.index + 2, (value[1] ?? '').length, dice.pick(odd));
  },
  (dice, text) => text.replace('"format"', `"${dice.pick(['__proto__', 'constructor', 'toString', 'Format'])}"`),
  (dice, text) => text.replace('{', `{"${dice.pick(['__proto__', 'extra', 'proof'])}": {"length": 1}, `),
  (dice) => '['.repeat(1 + dice.below(10_000)),
  (dice) => '{"a":'.repeat(1 + dice.below(5_000)),
  (dice) => String.fromCharCode(...dice.bytes(dice.below(500))),
  () => ' '.repeat(MOST_RECORD_CHARACTERS + 1),
  (dice, text) => text.replace('"proof": "', `"proof": "${'A'.repeat(dice.below(100_000))}`),
];

/** A record that is right. @param proof a right proof */
export function rightRecord(proof: Uint8Array): string {
  return formatRecord({
    device: { name: 'a device', class: 'gpu', engine: 'reference' },
    observer: 'self',
    timesMs: { compute: 20_000, bandwidth: 10_000 },
    proof,
  });
}

/** Text that was a record once. @param text a right record */
export function hostileRecord(dice: Dice, text: string): string {
  return dice.pick(mutations)(dice, text);
}

function replaced(text: string, start: number, length: number, by: string): string {
  return text.slice(0, start) + by + text.slice(start + length);
}
