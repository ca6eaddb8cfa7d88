import { HASH_BYTES } from '../../spec/bytes.ts';
import { HEADER_BYTES, MOST_PROOF_BYTES } from '../../wire/proof-header.ts';
import type { Dice } from './dice.ts';

/** A way to make hostile bytes of right ones. */
type Mutation = (dice: Dice, proof: Uint8Array, other: Uint8Array) => Uint8Array;

const SET = 4;
const NUMBERS = HEADER_BYTES - 2 * HASH_BYTES - 12;

/** By name; each is as likely as any other. */
const mutations: Readonly<Record<string, Mutation>> = {
  'a bit of the body': (dice, proof) => flip(dice, proof, HEADER_BYTES, proof.length),
  'a bit of the header': (dice, proof) => flip(dice, proof, 0, HEADER_BYTES),
  'some bits anywhere': (dice, proof) => {
    let flipped = proof;
    for (let count = 1 + dice.below(20); count > 0; count--) flipped = flip(dice, flipped, 0, proof.length);
    return flipped;
  },
  'a number of the header': (dice, proof) => {
    const changed = proof.slice();
    const value = dice.pick([0, 1, 2, 4, 255, 65_535, 65_536, 65_537, 2 ** 31, 2 ** 32 - 1, dice.below(70_000)]);
    new DataView(changed.buffer).setUint32(NUMBERS + 4 * dice.below(3), value);
    return changed;
  },
  'all numbers of the header': (dice, proof) => {
    const changed = proof.slice();
    const view = new DataView(changed.buffer);
    for (const field of [0, 4, 8]) view.setUint32(NUMBERS + field, 1 + dice.below(65_536));
    changed[SET] = 1 + dice.below(3);
    return changed;
  },
  'another set': (dice, proof) => proof.with(SET, dice.below(256)),
  'a beacon or root': (dice, proof) => {
    const changed = proof.slice();
    const field = dice.below(7);
    const offset = field < 5 ? SET + 1 + HASH_BYTES * field : HEADER_BYTES - HASH_BYTES * (field - 4);
    changed.set(dice.bytes(HASH_BYTES), offset);
    return changed;
  },
  'a cut': (dice, proof) => proof.slice(0, dice.below(proof.length)),
  'a cut of whole hashes': (dice, proof) => proof.slice(0, proof.length - HASH_BYTES * (1 + dice.below(50))),
  'more bytes': (dice, proof) => joined(proof, dice.bytes(1 + dice.below(300))),
  'more than any proof': (dice, proof) => {
    const grown = new Uint8Array(MOST_PROOF_BYTES + 1 + dice.below(1000));
    grown.set(proof);
    return grown;
  },
  'the end of another proof': (dice, proof, other) => {
    const place = dice.below(Math.min(proof.length, other.length));
    return joined(proof.subarray(0, place), other.subarray(place));
  },
  'the header of another proof': (_, proof, other) =>
    joined(other.subarray(0, HEADER_BYTES), proof.subarray(HEADER_BYTES)),
  'two hashes swapped': (dice, proof) => {
    const places = Math.floor((proof.length - HEADER_BYTES) / HASH_BYTES);
    const [a, b] = [HEADER_BYTES + HASH_BYTES * dice.below(places), HEADER_BYTES + HASH_BYTES * dice.below(places)];
    const changed = proof.slice();
    changed.set(proof.subarray(a, a + HASH_BYTES), b);
    changed.set(proof.subarray(b, b + HASH_BYTES), a);
    return changed;
  },
  'a part repeated': (dice, proof) => {
    const changed = proof.slice();
    const bytes = 1 + dice.below(400);
    const source = dice.below(proof.length - bytes);
    changed.set(proof.subarray(source, source + bytes), dice.below(proof.length - bytes));
    return changed;
  },
  'a part of zeros': (dice, proof) => {
    const start = dice.below(proof.length);
    return proof.slice().fill(0, start, start + 1 + dice.below(400));
  },
  'a body at random': (dice, proof) => joined(proof.subarray(0, HEADER_BYTES), dice.bytes(proof.length - HEADER_BYTES)),
  'bytes at random': (dice) => dice.bytes(dice.below(2000)),
  'bytes at random behind the magic': (dice, proof) => {
    const made = dice.bytes(HEADER_BYTES + dice.below(2000));
    made.set(proof.subarray(0, SET));
    made[SET] = 1 + dice.below(3);
    return made;
  },
};

export interface HostileProof {
  readonly kind: string;
  readonly bytes: Uint8Array;
}

/**
 * Bytes that no verifier may take.
 * @param proofs two right proofs, of different challenges
 */
export function hostileProof(dice: Dice, proofs: readonly [Uint8Array, Uint8Array]): HostileProof {
  const [proof, other] = proofs;
  const kinds = Object.entries(mutations);
  for (;;) {
    const [kind, mutate] = kinds[dice.below(kinds.length)] ?? [];
    if (kind === undefined || mutate === undefined) continue;
    const bytes = mutate(dice, proof, other);
    if (differ(bytes, proof) && differ(bytes, other)) return { kind, bytes };
  }
}

function differ(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return true;
  for (let place = 0; place < a.length; place++) if (a[place] !== b[place]) return true;
  return false;
}

function flip(dice: Dice, proof: Uint8Array, start: number, end: number): Uint8Array {
  const place = start + dice.below(end - start);
  return proof.with(place, (proof[place] ?? 0) ^ (1 << dice.below(8)));
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(a.length + b.length);
  bytes.set(a);
  bytes.set(b, a.length);
  return bytes;
}
