import { type Hex, hexToBytes, keccak256 } from 'viem';
import { pureSecp256k1 } from './pure-secp256k1.ts';
import type { Secp256k1 } from './secp256k1.ts';

/** What hashes and signs the messages of this process. */
export interface Signing {
  readonly secp256k1: Secp256k1;
  /** @returns 32 bytes that no later call changes */
  readonly keccak256: (bytes: Uint8Array) => Uint8Array;
}

export const pureSigning: Signing = { secp256k1: pureSecp256k1, keccak256: (bytes) => keccak256(bytes, 'bytes') };

let chosen: Signing = pureSigning;

/** What is in use: {@link pureSigning} until a program chose otherwise. */
export function currentSigning(): Signing {
  return chosen;
}

/**
 * Chooses what this process hashes and signs with; a program does so once, at its start. Of the process and not passed along,
 * as it changes no result: what gives another answer than the known one is not taken.
 * @param faster undefined where the machine has none
 * @returns which of them are in use now
 */
export async function useSigning(faster: {
  readonly secp256k1?: Secp256k1 | undefined;
  readonly keccak256?: Signing['keccak256'] | undefined;
}): Promise<{ readonly secp256k1: boolean; readonly keccak256: boolean }> {
  const secp256k1 = faster.secp256k1 !== undefined && (await signsAsKnown(faster.secp256k1));
  const keccak = faster.keccak256 !== undefined && hashesAsKnown(faster.keccak256);
  chosen = {
    secp256k1: secp256k1 ? faster.secp256k1 : pureSigning.secp256k1,
    keccak256: keccak ? faster.keccak256 : pureSigning.keccak256,
  };
  return { secp256k1, keccak256: keccak };
}

/** Any key and digest do; the signature is what viem makes of them. */
const KNOWN = {
  secret: hexToBytes(`0x${'11'.repeat(32)}`),
  digest: hexToBytes(`0x${'22'.repeat(32)}`),
};

async function signsAsKnown(secp256k1: Secp256k1): Promise<boolean> {
  const expected = await pureSecp256k1.sign(KNOWN.digest, KNOWN.secret);
  const signer = await pureSecp256k1.recover(KNOWN.digest, expected);
  try {
    const signature = await secp256k1.sign(KNOWN.digest, KNOWN.secret);
    const key = await secp256k1.recover(KNOWN.digest, signature);
    return areSame(signature, expected) && signer !== undefined && key !== undefined && areSame(key, signer);
  } catch {
    return false;
  }
}

/** Of nothing: Ethereum's empty code hash. */
const EMPTY: Hex = '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470';

function hashesAsKnown(keccak: Signing['keccak256']): boolean {
  const long = new Uint8Array(300).fill(7);
  return areSame(keccak(new Uint8Array()), hexToBytes(EMPTY)) && areSame(keccak(long), pureSigning.keccak256(long));
}

function areSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
