import type { CheckList } from '@latent/protocol';
import type { ChainReader } from '@latent/sdk';
import {
  type Address,
  concatHex,
  domainSeparator,
  type Hex,
  keccak256,
  padHex,
  size,
  sliceHex,
  stringToHex,
  toHex,
} from 'viem';
import { readCode } from './read-view.ts';

/** What the compiler says of a contract's code, see `bytecode.ts`. */
export interface RuntimeCode {
  readonly bytes: number;
  readonly maskedHash: Hex;
  readonly immutables: readonly (readonly number[])[];
}

const WORD = 32;
const ZEROS = padHex('0x', { size: WORD });

/**
 * Holds the code at an address to what was compiled: byte by byte but for the immutables, and those to the values that they
 * must have, recomputed.
 * @param values every immutable's, in any order: which is which is for the contract's own views to say
 * @returns the code's hash; undefined if there is no code
 */
export async function checkCode(
  list: CheckList,
  reader: ChainReader,
  {
    name,
    address,
    runtime,
    values,
  }: {
    readonly name: string;
    readonly address: Address;
    readonly runtime: RuntimeCode;
    readonly values: readonly Hex[];
  },
): Promise<Hex | undefined> {
  const code = await readCode(reader, address);
  if (!list.holds(`${name} at ${address}: has code`, code !== '0x', 'there is none')) return undefined;
  const { masked, words } = mask(code, runtime);
  list.same(`${name}: code, immutables aside`, masked, runtime.maskedHash);
  list.same(`${name}: immutables`, words.join(' '), [...values].sort().join(' '));
  return keccak256(code);
}

/** The code's hash with zeros for its immutables, and their values in order; one that differs from place to place is named as such. */
function mask(
  code: Hex,
  { bytes, immutables }: RuntimeCode,
): { readonly masked: Hex; readonly words: readonly string[] } {
  if (size(code) !== bytes) return { masked: keccak256(code), words: [] };
  const words = immutables.map((places) => {
    const found = new Set(places.map((start) => sliceHex(code, start, start + WORD)));
    return [...found].join('≠');
  });
  let masked = '';
  let done = 0;
  for (const start of immutables.flat().sort((a, b) => a - b)) {
    masked += code.slice(2 + 2 * done, 2 + 2 * start) + ZEROS.slice(2);
    done = start + WORD;
  }
  masked += code.slice(2 + 2 * done);
  return { masked: keccak256(`0x${masked}`), words: words.sort() };
}

/** The immutables of OpenZeppelin's EIP712, for a domain of version 1. */
export function domainWords(name: string, chainId: number, verifyingContract: Address): readonly Hex[] {
  return [
    domainSeparator({ domain: { name, version: '1', chainId, verifyingContract } }),
    wordOf(BigInt(chainId)),
    wordOf(verifyingContract),
    keccak256(stringToHex(name)),
    keccak256(stringToHex('1')),
    shortString(name),
    shortString('1'),
  ];
}

export function wordOf(value: Address | bigint): Hex {
  return padHex(typeof value === 'bigint' ? toHex(value) : lower(value), { size: WORD });
}

function lower(address: Address): Hex {
  return `0x${address.slice(2).toLowerCase()}`;
}

/** OpenZeppelin's ShortString: the bytes, and their number in the last. */
function shortString(text: string): Hex {
  const bytes = stringToHex(text);
  return concatHex([padHex(bytes, { size: WORD - 1, dir: 'right' }), toHex(size(bytes), { size: 1 })]);
}
