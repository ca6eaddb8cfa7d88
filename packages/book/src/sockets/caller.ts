import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { ipPlace, ipText } from './ip-address.ts';

/** Where a request or connection comes from. */
export interface Caller {
  /** IP address. */
  readonly ip: string;
  /** What limits of addresses count by; see `ipPlace`. */
  readonly place: string;
}

/**
 * @param proxies addresses of the book's own proxies: of what those pass on, the address they name counts. Nobody else's
 * word on it is taken, as whoever chooses an address has no limits.
 */
export function callerOf(request: IncomingMessage, proxies: readonly string[]): Caller {
  const remote = ipText(request.socket.remoteAddress ?? 'unknown');
  const ip = proxies.includes(remote) ? (namedByProxy(request, proxies) ?? remote) : remote;
  return { ip, place: ipPlace(ip) };
}

/** Each proxy adds to the right: the rightmost address that is not a proxy's was seen by a proxy of ours. */
function namedByProxy({ headers }: IncomingMessage, proxies: readonly string[]): string | undefined {
  const named = [headers['x-forwarded-for'] ?? []].flat().join(',').split(',');
  for (const entry of named.reverse()) {
    const ip = ipText(entry.trim());
    if (isIP(ip) === 0) return undefined;
    if (!proxies.includes(ip)) return ip;
  }
  return undefined;
}
