import { networkInterfaces } from 'node:os';
import { toAddressNumber } from '../packet.ts';

/** A range that is wider is no neighbourhood, but a mistake or a way to everything. */
const WIDEST = 8;

/**
 * The IPv4 ranges that this machine is in itself, also where they are public: its own addresses, and those of its neighbours. What leads to it
 * from elsewhere, such as the public address of a router, is not known here.
 */
export function ownRanges(interfaces = networkInterfaces()): readonly string[] {
  const all = Object.values(interfaces).flatMap((addresses) => addresses ?? []);
  return all
    .filter(({ family, internal }) => family === 'IPv4' && !internal)
    .map(({ address, cidr }) => toRange(address, Number(cidr?.split('/')[1] ?? 32)))
    .filter((range, index, ranges) => ranges.indexOf(range) === index)
    .toSorted();
}

function toRange(address: string, prefixLength: number): string {
  if (prefixLength < WIDEST) return `${address}/32`;
  const first = (toAddressNumber(address) & (-1 << (32 - prefixLength))) >>> 0;
  return `${[24, 16, 8, 0].map((shift) => (first >>> shift) & 0xff).join('.')}/${prefixLength}`;
}
