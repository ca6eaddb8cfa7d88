import { lookup } from 'node:dns/promises';
import { isIPv6 } from 'node:net';
import { DISCOVERY_NONCE_BYTES, type Discovery, encodeDiscoveryQuestion } from '@latent/protocol';
import { hexOfBytes } from '../hex.ts';
import { randomBytes } from '../key-pair.ts';
import { after } from '../timers.ts';
import { formatUdpAddress, hostOfBytes, type UdpAddress } from './udp-address.ts';
import type { UdpPort } from './udp-port.ts';

/** Where a book sees one question of ours come from. */
export interface Sighting {
  readonly family: 4 | 6;
  /** Which of the book's two ports was asked. */
  readonly askedPort: number;
  readonly seen: UdpAddress;
}

export interface DiscoverOptions {
  /** The host of the book. */
  readonly host: string;
  readonly ports: Discovery['ports'];
  /** How long answers are waited for; questions are repeated meanwhile. */
  readonly timeoutMs: number;
  /** Called for each answer as it comes. */
  readonly onSighting?: (sighting: Sighting) => void;
  readonly signal: AbortSignal;
}

const REPEATS = 3;

/**
 * Asks both ports of a book at which address our UDP socket is seen, over IPv4 and IPv6 where both have it.
 * @returns what was answered; nothing where UDP does not get through. Resolves early when all have answered
 */
export async function discover(port: UdpPort, options: DiscoverOptions): Promise<readonly Sighting[]> {
  const hosts = await addressesOf(options.host);
  const sightings: Sighting[] = [];
  const open = new Map<string, { readonly to: UdpAddress; readonly nonce: Uint8Array; readonly family: 4 | 6 }>();
  for (const host of hosts) {
    if (isIPv6(host) && !port.isIPv6) continue;
    for (const askedPort of options.ports) {
      const nonce = randomBytes(DISCOVERY_NONCE_BYTES);
      open.set(hexOfBytes(nonce), { to: { host, port: askedPort }, nonce, family: isIPv6(host) ? 6 : 4 });
    }
  }
  if (open.size === 0 || options.signal.aborted) return sightings;
  const ask = () => {
    for (const { to, nonce } of open.values()) port.sendRaw(encodeDiscoveryQuestion({ kind: 'same', nonce }), to);
  };
  await new Promise<void>((resolve) => {
    const finish = () => {
      stopAnswers();
      for (const stop of timers) stop();
      options.signal.removeEventListener('abort', finish);
      resolve();
    };
    const stopAnswers = port.onDiscovery(({ nonce, address, port: seenPort }) => {
      const name = hexOfBytes(nonce);
      const asked = open.get(name);
      if (asked === undefined) return;
      open.delete(name);
      const sighting = {
        family: asked.family,
        askedPort: asked.to.port,
        seen: { host: hostOfBytes(address), port: seenPort },
      };
      sightings.push(sighting);
      options.onSighting?.(sighting);
      if (open.size === 0) finish();
    });
    const timers = Array.from({ length: REPEATS - 1 }, (_, at) => after(((at + 1) * options.timeoutMs) / REPEATS, ask));
    timers.push(after(options.timeoutMs, finish));
    options.signal.addEventListener('abort', finish);
    ask();
  });
  return sightings;
}

/** One address of each family; the first that the system's resolver names. */
export async function addressesOf(host: string): Promise<readonly string[]> {
  const bare = host.replace(/^\[|\]$/g, '');
  const found = await lookup(bare, { all: true }).catch(() => []);
  const first = (family: number) => found.find((candidate) => candidate.family === family)?.address;
  return [first(4), first(6)].filter((address) => address !== undefined);
}

/** The addresses in sightings, each once. */
export function seenAddresses(sightings: readonly Sighting[]): readonly string[] {
  return [...new Set(sightings.map(({ seen }) => formatUdpAddress(seen)))];
}
