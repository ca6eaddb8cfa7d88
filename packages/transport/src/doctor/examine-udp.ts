import { DISCOVERY_NONCE_BYTES, type Discovery, encodeDiscoveryQuestion } from '@latent/protocol';
import { hexOfBytes } from '../hex.ts';
import { randomBytes } from '../key-pair.ts';
import { after } from '../timers.ts';
import { addressesOf, discover, type Sighting } from '../udp/discover.ts';
import { formatUdpAddress } from '../udp/udp-address.ts';
import { openUdpPort, type UdpPort } from '../udp/udp-port.ts';

/** What one book showed of this machine's way out by UDP, in one family of addresses. */
export interface UdpView {
  readonly family: 4 | 6;
  /** Where the book saw the questions to its two ports come from; fewer where answers got lost. */
  readonly seen: readonly string[];
  /** Both questions came from the same address and port. Undefined where only one was answered. */
  readonly isSameForBoth: boolean | undefined;
  /** An answer from a port that was not asked came in: strangers at a known address get through. */
  readonly letsStrangersIn: boolean;
}

/** {@link UdpView}s of one book; `tried` tells which families were asked at all. */
export interface UdpExamination {
  readonly tried: readonly (4 | 6)[];
  readonly views: readonly UdpView[];
}

export interface ExamineUdpOptions {
  readonly host: string;
  readonly ports: Discovery['ports'];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Asks both ports of a book, then has one answer in the other's place, as RFC 5780 does to tell kinds of NAT.
 * @throws LatentError CONFIG_INVALID (no UDP socket can be had)
 */
export async function examineUdp(options: ExamineUdpOptions): Promise<UdpExamination> {
  const port = openUdpPort({ address: '0.0.0.0', port: 0 });
  const fresh = openUdpPort({ address: '0.0.0.0', port: 0 });
  try {
    return await examineBy(port, fresh, options);
  } finally {
    await Promise.all([port.close(), fresh.close()]);
  }
}

async function examineBy(port: UdpPort, fresh: UdpPort, options: ExamineUdpOptions): Promise<UdpExamination> {
  const hosts = await addressesOf(options.host);
  const families = hosts.map((host): 4 | 6 => (host.includes(':') ? 6 : 4));
  const tried = families.filter((family) => family === 4 || port.isIPv6);
  const sightings = await discover(port, options);
  const views = await Promise.all(
    tried.map(async (family): Promise<UdpView | undefined> => {
      const own = sightings.filter((sighting) => sighting.family === family);
      const host = hosts.find((candidate) => candidate.includes(':') === (family === 6));
      if (own.length === 0 || host === undefined) return undefined;
      const letsStrangersIn = await isAnsweredFromOther(fresh, { ...options, host });
      return { family, seen: own.map(formatSeen), isSameForBoth: compare(own), letsStrangersIn };
    }),
  );
  return { tried, views: views.filter((view) => view !== undefined) };
}

const formatSeen = ({ seen }: Sighting) => formatUdpAddress(seen);

function compare(sightings: readonly Sighting[]): boolean | undefined {
  const [first, second] = sightings.map(formatSeen);
  return second === undefined ? undefined : first === second;
}

/** @param port a fresh one, which has sent nothing to the book's other port yet: that would have let its answers in */
function isAnsweredFromOther(port: UdpPort, { host, ports, timeoutMs, signal }: ExamineUdpOptions): Promise<boolean> {
  const nonce = randomBytes(DISCOVERY_NONCE_BYTES);
  const name = hexOfBytes(nonce);
  return new Promise((resolve) => {
    const settle = (isAnswered: boolean) => {
      stopAnswers();
      for (const stop of timers) stop();
      signal.removeEventListener('abort', onAbort);
      resolve(isAnswered);
    };
    const onAbort = () => settle(false);
    const ask = () => port.sendRaw(encodeDiscoveryQuestion({ kind: 'other', nonce }), { host, port: ports[0] });
    const stopAnswers = port.onDiscovery((answer) => {
      if (hexOfBytes(answer.nonce) === name) settle(true);
    });
    const timers = [after(timeoutMs / 3, ask), after((2 * timeoutMs) / 3, ask), after(timeoutMs, () => settle(false))];
    signal.addEventListener('abort', onAbort);
    ask();
  });
}
