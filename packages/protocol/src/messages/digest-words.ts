import type { Hex } from 'viem';

export const WORD_BYTES = 32;

/** EIP-712 encodes every value that is not a list as one 32-byte word. */
export interface Words {
  readonly bytes: Uint8Array;
  /** @throws RangeError if it is negative or does not fit `bits` (at most 256): nothing is ever cut off */
  putUint(index: number, value: bigint, bits: number): void;
  /** As `putUint`, for numbers. */
  putNumber(index: number, value: number, bits: number): void;
  /** Right-aligned, as an address or 32 bytes. @throws RangeError if it is not `size` bytes of hex */
  putHex(index: number, value: Hex, size: number): void;
  putBytes(index: number, value: Uint8Array): void;
}

/** @param count how many words */
export function makeWords(count: number): Words {
  const bytes = new Uint8Array(count * WORD_BYTES);
  const view = new DataView(bytes.buffer);
  const end = (index: number) => {
    if (index < 0 || index >= count) throw new RangeError(`word ${index} of ${count}`);
    return (index + 1) * WORD_BYTES;
  };
  return {
    bytes,
    putUint: (index, value, bits) => {
      if (value < 0n || value >> BigInt(bits) !== 0n) throw new RangeError(`${value} does not fit ${bits} bits`);
      let at = end(index) - 8;
      view.setBigUint64(at, BigInt.asUintN(64, value));
      for (let rest = value >> 64n; rest !== 0n; rest >>= 64n) {
        at -= 8;
        view.setBigUint64(at, BigInt.asUintN(64, rest));
      }
    },
    putNumber: (index, value, bits) => {
      if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** bits) {
        throw new RangeError(`${value} does not fit ${bits} bits`);
      }
      const at = end(index);
      view.setUint32(at - 4, value >>> 0);
      view.setUint32(at - 8, Math.floor(value / 2 ** 32));
    },
    putHex: (index, value, size) => putHex(bytes, end(index) - size, value, size),
    putBytes: (index, value) => bytes.set(value, end(index) - value.length),
  };
}

function putHex(bytes: Uint8Array, at: number, value: Hex, size: number): void {
  if (value.length !== 2 + 2 * size) throw new RangeError(`${value.length} characters instead of ${2 + 2 * size}`);
  for (let index = 0; index < size; index += 1) {
    bytes[at + index] = nibble(value.charCodeAt(2 + 2 * index)) * 16 + nibble(value.charCodeAt(3 + 2 * index));
  }
}

function nibble(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const letter = code | 32;
  if (letter >= 97 && letter <= 102) return letter - 87;
  throw new RangeError('not hex');
}
