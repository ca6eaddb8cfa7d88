import { HEADER_BYTES, MOST_PROOF_BYTES } from '../../wire/proof-header.ts';
import { type Cheat, honestClaims } from '../cheat.ts';
import { modelOf, proverWith, rehearse, type Stage } from '../stage/stage.ts';

type Damage = (proof: Uint8Array, bytes: Uint8Array) => Uint8Array;

/** Sends bytes that are no proof, made of an honest one; which damage is done goes by turns. */
function damagedProofs(name: string, summary: string, explanation: string, damages: readonly Damage[]): Cheat {
  return {
    name,
    summary,
    claims: { ...honestClaims, operations: 1000 },
    predicted: 0,
    stoppedBy: 'shape',
    explanation,
    begin: (stage: Stage) =>
      rehearse(stage, {
        prover: (clock) => proverWith(stage, clock, {}, modelOf(stage)).prover,
        open: async ({ sampleBeacon, trial, openBy }) => {
          const damage = damages[trial % damages.length];
          const proof = await openBy(sampleBeacon);
          return damage?.(proof, stage.draw('damage', trial)) ?? proof;
        },
      }),
  };
}

const SET = 4;
const LAYERS = HEADER_BYTES - 2 * 32 - 12;

/** Headers that are none. Caught: nothing is derived from bytes whose header is out of range. */
export const malformedProofs: Cheat = damagedProofs(
  'malformed-proofs',
  'sends nothing, half a header, another magic, a set that there is not, layers or passes out of range',
  'The header is read and bounded before anything is derived from it.',
  [
    () => new Uint8Array(),
    (proof) => proof.slice(0, HEADER_BYTES / 2),
    (proof, [byte = 0]) => proof.with(byte % 4, 0x7f),
    (proof, [byte = 0]) => proof.with(SET, 4 + (byte % 252)),
    (proof) => proof.with(LAYERS, 1),
    (proof) => proof.with(LAYERS + 3, 21),
    (proof) => proof.with(LAYERS + 4, 0xff),
    (proof) => proof.with(LAYERS + 11, 0),
  ],
);

/** Too many bytes, too few. Caught: no more than 1 MiB is looked at, and the length follows from the header. */
export const oversizedProofs: Cheat = damagedProofs(
  'oversized-proofs',
  'sends more bytes than any proof has, one more or one less than this one has, or its header alone',
  'The length of a proof follows from its header; what is longer than the longest is not read at all.',
  [
    (proof) => grown(proof, MOST_PROOF_BYTES + 1),
    (proof) => grown(proof, proof.length + 1),
    (proof) => proof.slice(0, -1),
    (proof) => proof.slice(0, HEADER_BYTES),
    (proof, [byte = 0]) => proof.slice(0, proof.length - 32 * (1 + (byte % 64))),
  ],
);

function grown(proof: Uint8Array, bytes: number): Uint8Array {
  const longer = new Uint8Array(bytes);
  longer.set(proof);
  return longer;
}
