import { isIP } from 'node:net';

/** An IP address and a port. */
export interface UdpAddress {
  readonly host: string;
  readonly port: number;
}

const ADDRESS = /^(?:\[([0-9a-f:.]+)\]|(\d{1,3}(?:\.\d{1,3}){3})):([1-9]\d{0,4})$/;

/** "This host", and those that stand for many at once: what strangers name shall not be multiplied. */
const NOT_ONE_HOST = /^(?:0|22[4-9]|2[3-5]\d)\.|^ff|^[0:]*$/;

/** Reads `203.0.113.7:4433` or `[2001:db8::7]:4433`, of one machine; undefined for anything else. */
export function parseUdpAddress(text: string): UdpAddress | undefined {
  const parts = ADDRESS.exec(text.slice(0, 64));
  const host = parts?.[1] ?? parts?.[2] ?? '';
  const port = Number(parts?.[3]);
  return isIP(host) === 0 || NOT_ONE_HOST.test(host) || !(port <= 0xffff) ? undefined : { host, port };
}

/** What {@link parseUdpAddress} reads back. */
export function formatUdpAddress({ host, port }: UdpAddress): string {
  return host.includes(':') ? `[${host.toLowerCase()}]:${port}` : `${host}:${port}`;
}

/** The address of 4 or 16 bytes, in the short form that the system uses too. */
export function hostOfBytes(bytes: Uint8Array): string {
  if (bytes.byteLength === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, at) =>
    (((bytes[2 * at] ?? 0) << 8) | (bytes[2 * at + 1] ?? 0)).toString(16),
  );
  // `URL` writes IPv6 addresses as RFC 5952 wants it.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1);
}
