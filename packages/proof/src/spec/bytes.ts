/** Keccak-256 of a byte string, 32 bytes. Passed in: the reference and the WASM kernel give the same. */
export type Hash = (bytes: Uint8Array) => Uint8Array;

export const HASH_BYTES = 32;

/** What stands for a tree node that is not there. */
export const ABSENT: Uint8Array = new Uint8Array(HASH_BYTES);

/** `x` as 32 bytes, big-endian. @param x a non-negative safe integer */
export function word(x: number): Uint8Array {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setBigUint64(24, BigInt(x));
  return bytes;
}

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** The hashes that follow each other in `bytes`, as views. */
export function hashesIn(bytes: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, i) =>
    bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
  );
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

/** A typed array's entry that is known to be there. @throws RangeError if it is not */
export function at(array: ArrayLike<number>, index: number): number {
  const value = array[index];
  if (value === undefined) throw new RangeError(`entry ${index} of ${array.length}`);
  return value;
}

/** Least power of two that is not below `x`, as an exponent. @param x at least 1 */
export function ceilLog2(x: number): number {
  return Math.ceil(Math.log2(x));
}

export function toHex(bytes: Uint8Array): `0x${string}` {
  return `0x${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

/** @throws TypeError unless `hex` is 0x and an even number of hexadecimal digits */
export function fromHex(hex: string): Uint8Array {
  if (!/^0x([0-9a-f]{2})*$/i.test(hex)) throw new TypeError('not hexadecimal bytes');
  return Uint8Array.from({ length: (hex.length - 2) / 2 }, (_, i) =>
    Number.parseInt(hex.slice(2 + 2 * i, 4 + 2 * i), 16),
  );
}
