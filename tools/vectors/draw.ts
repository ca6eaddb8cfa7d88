import { keccak256, numberToHex } from 'viem';

/** The largest number of this many bits. */
export const maxUint = (bits: number) => 2n ** BigInt(bits) - 1n;

export type Draw = ReturnType<typeof drawer>;

/** A fixed stream of draws per case: keccak of case and count, so that vectors never depend on a library's generator. */
export function drawer(index: number) {
  let count = 0;
  const bits = (width: number): bigint => {
    count += 1;
    return BigInt.asUintN(width, BigInt(keccak256(numberToHex(index * 1_000 + count, { size: 32 }))));
  };
  const number = (width: number) => Number(bits(width));
  const oneOf = <T>(values: readonly T[]): T => {
    const value = values[number(32) % values.length];
    if (value === undefined) throw new RangeError('nothing to draw from');
    return value;
  };
  const extreme = (width: number) =>
    oneOf([
      0n,
      1n,
      2n,
      maxUint(width),
      maxUint(width) - 1n,
      bits(width),
      bits(Math.ceil(width / 2)),
      bits(Math.ceil(width / 4)),
    ]);
  return { bits, number, oneOf, extreme };
}

/** Integers as decimal strings: JSON has no others of this size. */
export function toJson(value: unknown, indent?: number): string {
  const decimal = (_key: string, item: unknown) =>
    typeof item === 'bigint' || typeof item === 'number' ? item.toString() : item;
  return JSON.stringify(value, decimal, indent);
}
