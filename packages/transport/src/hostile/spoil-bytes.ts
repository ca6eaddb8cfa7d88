import type { Dice } from './dice.ts';

/** Samples of what is well-formed; at least one. */
export type Samples = readonly [Uint8Array, ...(readonly Uint8Array[])];

/** @throws TypeError when there is none */
export function toSamples(all: readonly Uint8Array[]): Samples {
  const [first, ...others] = all;
  if (first === undefined) throw new TypeError('no samples');
  return [first, ...others];
}

const MOST_APPENDED_BYTES = 300;
const MOST_RANDOM_BYTES = 1_500;
/** Where parsers break: ends of ranges, and what is just beyond. */
const EDGES = [
  0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x1_0000, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff,
] as const;

type Spoiling = (dice: Dice, sample: Uint8Array, samples: Samples) => Uint8Array;

const spoilings: readonly [Spoiling, ...Spoiling[]] = [
  // As it is: what follows a right beginning has to be reached too.
  (_dice, sample) => sample,
  function flipBits(dice, sample) {
    for (let count = 1 + dice.below(4); count > 0 && sample.byteLength > 0; count -= 1) {
      const at = dice.below(sample.byteLength);
      sample[at] = (sample[at] ?? 0) ^ (1 << dice.below(8));
    }
    return sample;
  },
  function setBytes(dice, sample) {
    if (sample.byteLength > 0) sample[dice.below(sample.byteLength)] = dice.below(256);
    return sample;
  },
  function setNumber(dice, sample) {
    const width = dice.pick([2, 4]);
    if (sample.byteLength < width) return sample;
    const view = new DataView(sample.buffer, sample.byteOffset, sample.byteLength);
    const at = dice.below(sample.byteLength - width + 1);
    const isLittle = dice.below(2) === 0;
    if (width === 2) view.setUint16(at, dice.pick(EDGES) & 0xffff, isLittle);
    else view.setUint32(at, dice.pick(EDGES), isLittle);
    return sample;
  },
  (dice, sample) => sample.subarray(0, dice.below(sample.byteLength + 1)),
  (dice, sample) => sample.subarray(dice.below(sample.byteLength + 1)),
  (dice, sample) => join(sample, dice.bytes(dice.below(MOST_APPENDED_BYTES))),
  function splice(dice, sample, samples) {
    const other = dice.pick(samples);
    return join(
      sample.subarray(0, dice.below(sample.byteLength + 1)),
      other.subarray(dice.below(other.byteLength + 1)),
    );
  },
  function repeat(dice, sample) {
    const from = dice.below(sample.byteLength + 1);
    const part = sample.subarray(from, from + dice.below(sample.byteLength - from + 1));
    return join(sample, ...Array.from({ length: dice.below(8) }, () => part));
  },
  function fill(dice, sample) {
    const from = dice.below(sample.byteLength + 1);
    return sample.fill(dice.pick([0, 0xff, 0x20]), from, from + dice.below(sample.byteLength - from + 1));
  },
  (dice) => dice.bytes(dice.below(MOST_RANDOM_BYTES)),
];

/** A hostile input: one of the samples, spoiled up to three times. */
export function spoilBytes(dice: Dice, samples: Samples): Uint8Array {
  let input: Uint8Array = dice.pick(samples).slice();
  for (let count = dice.below(4); count > 0; count -= 1) input = dice.pick(spoilings)(dice, input.slice(), samples);
  return input;
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.byteLength;
  }
  return all;
}
