import { isIPv4, isIPv6 } from 'node:net';

/** Bytes of an IPv6 address that stand for one place: who has one address of such a block mostly has all of them. */
const PLACE_BYTES = 8;

/**
 * The bytes of an IP address: 4, or 16 for IPv6. An IPv4 address within IPv6 (`::ffff:192.0.2.1`), as a socket for both
 * tells it, is 4. Undefined for what is no address.
 */
export function ipBytes(text: string): Uint8Array | undefined {
  const [address = ''] = text.split('%');
  if (isIPv4(address)) return Uint8Array.from(address.split('.'), Number);
  if (!isIPv6(address)) return undefined;
  const bytes = ipv6Bytes(address);
  const isMapped = bytes.every((byte, at) => at > 11 || byte === (at < 10 ? 0 : 0xff));
  return isMapped ? bytes.subarray(12) : bytes;
}

/** An address as it is told and compared: an IPv4 address within IPv6 as IPv4, without a zone. Other text as it is. */
export function ipText(text: string): string {
  const bytes = ipBytes(text);
  if (bytes?.byteLength === 4) return bytes.join('.');
  return text.split('%')[0] ?? text;
}

/** What limits of addresses count by: an IPv4 address, or the first 64 bits of an IPv6 address. */
export function ipPlace(text: string): string {
  const bytes = ipBytes(text);
  if (bytes === undefined) return text;
  if (bytes.byteLength === 4) return bytes.join('.');
  return `${Buffer.from(bytes.subarray(0, PLACE_BYTES)).toString('hex')}/64`;
}

function ipv6Bytes(address: string): Uint8Array {
  const [left = '', right] = address.split('::');
  const head = groupBytes(left);
  const tail = groupBytes(right ?? '');
  const bytes = new Uint8Array(16);
  bytes.set(head);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** `2001:db8` or `ffff:192.0.2.1` */
function groupBytes(groups: string): number[] {
  if (groups === '') return [];
  return groups.split(':').flatMap((group) => {
    if (group.includes('.')) return group.split('.').map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
