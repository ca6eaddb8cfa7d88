import { lookup } from 'node:dns';
import type { IncomingMessage } from 'node:http';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { LatentError } from '@latent/protocol';

/** A connection on which nothing comes for so long is given up. */
const IDLE_MS = 30_000;
const MAX_REDIRECTS = 5;

export interface UrlOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Whether addresses of this machine and of its own network may be asked. */
  readonly allowLocal: boolean;
  readonly idleMs?: number;
}

/**
 * Asks for a URL that a stranger named, and follows where it leads. Only https; http at loopback addresses alone. The
 * answer's body has to be read or destroyed.
 * @throws LatentError IMAGE_UNREACHABLE, NOT_ALLOWED (an address that may not be asked), CANCELLED
 */
export async function openUrl(url: URL, options: UrlOptions): Promise<IncomingMessage> {
  let at = url;
  let headers = options.headers;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const answer = await ask(at, { ...options, headers });
    const { statusCode = 0, headers: answered } = answer;
    const next = answered.location;
    if (![301, 302, 303, 307, 308].includes(statusCode) || next === undefined) return answer;
    answer.destroy();
    const to = URL.parse(next, at.href);
    if (to === null) throw unreachable(at, 'sends to an address that is none');
    // What proves to the registry who asks is not for where it sends to.
    if (to.origin !== at.origin) headers = withoutAuthorization(headers);
    at = to;
  }
  throw unreachable(url, `sends on more than ${MAX_REDIRECTS} times`);
}

function ask(url: URL, options: UrlOptions): Promise<IncomingMessage> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const mayHttp = isLoopbackHost(host) && options.allowLocal;
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && mayHttp)) {
    throw notAllowed(url, 'is not https');
  }
  if (isIP(host) !== 0 && !options.allowLocal && isLocalAddress(host)) throw notAllowed(url, 'is an address in here');
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const request = (url.protocol === 'https:' ? requestHttps : requestHttp)(url, {
    headers: { 'user-agent': 'latent', ...options.headers },
    signal: options.signal,
    lookup: lookupFor(url, options.allowLocal),
    timeout: options.idleMs ?? IDLE_MS,
  });
  request.on('timeout', () => request.destroy(unreachable(url, 'does not answer')));
  request.on('response', resolve);
  request.on('error', (cause) => reject(failure(url, options.signal, cause)));
  request.end();
  return promise;
}

/** The error that a connection which broke is reported by; errors of ours stay as they are. */
export function failure(url: URL, signal: AbortSignal, cause: unknown): LatentError {
  if (signal.aborted) return new LatentError('CANCELLED', 'Pulling the image was stopped.', { cause });
  if (cause instanceof LatentError) return cause;
  return unreachable(url, 'cannot be reached, or broke off', cause);
}

/** Names are looked up here, so that none leads to where an address could not. */
function lookupFor(url: URL, allowLocal: boolean): LookupFunction {
  return (hostname, lookupOptions, callback) => {
    lookup(hostname, { ...lookupOptions, all: true }, (error, addresses) => {
      const local = allowLocal ? undefined : addresses?.find(({ address }) => isLocalAddress(address));
      const [first] = addresses ?? [];
      if (error !== null) callback(error, '');
      else if (local !== undefined) callback(notAllowed(url, 'is at an address in here'), '');
      else if (first === undefined) callback(unreachable(url, 'has no address'), '');
      else if (lookupOptions.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

const localAddresses = new BlockList();
for (const [net, prefix] of [
  ...([
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
  ] as const),
  ...([
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
    ['224.0.0.0', 3],
  ] as const),
] as const) {
  localAddresses.addSubnet(net, prefix, 'ipv4');
}
for (const [net, prefix] of [
  ['::', 127],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
  ['64:ff9b::', 96],
] as const) {
  localAddresses.addSubnet(net, prefix, 'ipv6');
}

/** Loopback, private, link-local, shared, multicast and reserved ones. */
export function isLocalAddress(address: string): boolean {
  // A mapped IPv4 address is looked for among those of IPv4 by the list itself.
  return localAddresses.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

function withoutAuthorization(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name !== 'authorization'));
}

function notAllowed(url: URL, reason: string): LatentError {
  return new LatentError('NOT_ALLOWED', `Images are not fetched from ${url.host.slice(0, 200)}, which ${reason}.`, {
    hint: 'Use a public registry; an operator can allow its own by the option localRegistries.',
  });
}

export function unreachable(url: URL, reason: string, cause?: unknown): LatentError {
  const options = { hint: 'Try again, or use another registry.', ...(cause === undefined ? {} : { cause }) };
  return new LatentError('IMAGE_UNREACHABLE', `The registry at ${url.host.slice(0, 200)} ${reason}.`, options);
}
