import { bytesToHex, domainSeparator, type Hex, hexToBytes, stringToBytes } from 'viem';
import { currentSigning } from '../signing/signing.ts';
import { makeWords, WORD_BYTES } from './digest-words.ts';
import { type EscrowDomain, escrowDomain } from './domain.ts';
import { messageTypes } from './typed-data.ts';

/** Messages whose fields are all single words: no lists, no texts. */
export type FlatMessage = 'Ask' | 'Close' | 'Hold' | 'Attach';

/**
 * EIP-712 digest of a message whose fields are all single words, as viem's `hashTypedData` gives it, without its checks of
 * types: they have been made when the message was parsed.
 * @throws RangeError if a value is missing or does not fit its type
 */
export function hashFlatMessage(
  domain: EscrowDomain,
  type: FlatMessage,
  message: Readonly<Record<string, Hex | bigint | number>>,
): Hex {
  const fields = messageTypes[type];
  const words = makeWords(fields.length + 1);
  words.putBytes(0, typeHash(type));
  for (const [index, { name, type: kind }] of fields.entries()) {
    const value = message[name];
    if (typeof value === 'bigint') words.putUint(index + 1, value, uintBits(kind));
    else if (typeof value === 'number') words.putNumber(index + 1, value, uintBits(kind));
    else if (typeof value === 'string') words.putHex(index + 1, value, hexBytes(kind));
    else throw new RangeError(`${type} without ${name}`);
  }
  return bytesToHex(digestOf(domain, words.bytes));
}

/** Bounds what is kept, whatever strangers send. */
const MOST_KEPT = 128;

/** Hashes of lists of zeros, by length. */
const zeroLists = new Map<number, Uint8Array>();

/** EIP-712 digest of a voucher; see {@link hashFlatMessage}. As many entries as the lists have. */
export function hashVoucherWords(
  domain: EscrowDomain,
  voucher: { readonly leaseId: Hex; readonly units: readonly bigint[]; readonly accrueFrom: readonly number[] },
): Hex {
  const { keccak256 } = currentSigning();
  const { leaseId, units, accrueFrom } = voucher;
  const unitWords = makeWords(units.length);
  for (const [index, amount] of units.entries()) unitWords.putUint(index, amount, 96);
  const words = makeWords(4);
  words.putBytes(0, typeHash('Voucher'));
  words.putHex(1, leaseId, 32);
  words.putBytes(2, keccak256(unitWords.bytes));
  words.putBytes(3, hashTimes(accrueFrom));
  return bytesToHex(digestOf(domain, words.bytes));
}

/** Nearly every lease has only members that count from its opening: their zeros are hashed once. */
function hashTimes(accrueFrom: readonly number[]): Uint8Array {
  const { keccak256 } = currentSigning();
  const { length } = accrueFrom;
  const isZero = length <= MOST_KEPT && accrueFrom.every((from) => from === 0);
  const known = isZero ? zeroLists.get(length) : undefined;
  if (known !== undefined) return known;
  const words = makeWords(length);
  for (const [index, from] of accrueFrom.entries()) words.putNumber(index, from, 40);
  const hash = keccak256(words.bytes);
  if (isZero) zeroLists.set(length, hash);
  return hash;
}

function digestOf(domain: EscrowDomain, struct: Uint8Array): Uint8Array {
  const { keccak256 } = currentSigning();
  const message = new Uint8Array(2 + 2 * WORD_BYTES);
  message[0] = 0x19;
  message[1] = 0x01;
  message.set(separatorOf(domain), 2);
  message.set(keccak256(struct), 2 + WORD_BYTES);
  return keccak256(message);
}

const separators = new Map<string, Uint8Array>();

function separatorOf(domain: EscrowDomain): Uint8Array {
  const key = `${domain.chainId} ${domain.escrow}`;
  const known = separators.get(key);
  if (known !== undefined) return known;
  if (separators.size >= MOST_KEPT) separators.clear();
  const separator = hexToBytes(domainSeparator({ domain: escrowDomain(domain) }));
  separators.set(key, separator);
  return separator;
}

const typeHashes = new Map<string, Uint8Array>();

function typeHash(type: FlatMessage | 'Voucher'): Uint8Array {
  const known = typeHashes.get(type);
  if (known !== undefined) return known;
  const fields = messageTypes[type].map(({ name, type: kind }) => `${kind} ${name}`);
  const hash = currentSigning().keccak256(stringToBytes(`${type}(${fields.join(',')})`));
  typeHashes.set(type, hash);
  return hash;
}

function uintBits(kind: string): number {
  if (!kind.startsWith('uint')) throw new RangeError(`a number for ${kind}`);
  return Number(kind.slice(4));
}

function hexBytes(kind: string): number {
  if (kind === 'address') return 20;
  if (kind === 'bytes32') return 32;
  throw new RangeError(`text for ${kind}`);
}
