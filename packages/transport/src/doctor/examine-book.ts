import { type LatentError, toLatentError } from '@latent/protocol';
import { createKeyPair, KEY_SEED_BYTES, type KeyPair, randomBytes } from '../key-pair.ts';
import { openBookLink } from '../link/book-link.ts';
import { openNodeLinkSocket } from '../link/node-link-socket.ts';
import { unlessAborted } from '../peer/reach-peer.ts';
import { createRelayTransport } from '../peer/relay-transport.ts';
import type { EncryptedStream } from '../transport.ts';
import { examineUdp, type UdpExamination } from './examine-udp.ts';

/** Sent through the relay and back, in messages of 64 KiB. */
const RELAY_TEST_BYTES = 1024 * 1024;
const MESSAGE_BYTES = 64 * 1024;
/** For all of it. */
const LIMIT_MS = 30_000;
const UDP_TIMEOUT_MS = 1_500;

/** What one book has shown. */
export interface BookExamination {
  readonly bookUrl: string;
  /** Why there is no link; the rest is missing then. */
  readonly error?: LatentError;
  /** From the first byte to the welcome. */
  readonly linkMs?: number;
  /** The IP address that the book sees. */
  readonly observed?: string;
  /** Bytes that it still relays without payment today, for a key that it does not know. */
  readonly freeRelayBytes?: number;
  /** Undefined where the book has no address discovery. */
  readonly udp?: UdpExamination;
  readonly relay?: RelayExamination;
}

export interface RelayExamination {
  readonly error?: LatentError;
  /** Of one small message there and back, from this machine to the book and to this machine again. */
  readonly roundTripMs?: number;
  readonly megabytesPerSecond?: number;
}

/** Looks at one book as a peer sees it: link, address, relay. With throw-away keys; relays 2 MiB. Never rejects but by the signal. */
export async function examineBook(bookUrl: string, signal: AbortSignal): Promise<BookExamination> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(LIMIT_MS)]);
  const startedMs = performance.now();
  const link = openBookLink({ bookUrl, keyPair: throwAwayKeys(), openSocket: openNodeLinkSocket });
  try {
    const { observed, freeRelayBytes, discovery } = await unlessAborted(link.ready, limit);
    const linkMs = performance.now() - startedMs;
    const host = discovery?.host ?? new URL(bookUrl).hostname;
    const udp =
      discovery === undefined
        ? {}
        : { udp: await examineUdp({ host, ports: discovery.ports, timeoutMs: UDP_TIMEOUT_MS, signal: limit }) };
    return { bookUrl, linkMs, observed, freeRelayBytes, ...udp, relay: await examineRelay(bookUrl, limit) };
  } catch (thrown) {
    signal.throwIfAborted();
    return { bookUrl, error: toLatentError(thrown) };
  } finally {
    link.close();
  }
}

/** Two peers of this machine talk through the book, without UDP. */
async function examineRelay(bookUrl: string, signal: AbortSignal): Promise<RelayExamination> {
  const open = () =>
    createRelayTransport({
      keyPair: throwAwayKeys(),
      openSocket: openNodeLinkSocket,
      books: [bookUrl],
      handshakeTimeoutMs: LIMIT_MS,
    });
  const far = open();
  const near = open();
  try {
    const { hints, settled } = await far.listen((stream) => void echo(stream), { address: '', port: 0 });
    await unlessAborted(settled, signal);
    return await measure(await near.connect({ key: far.key, hints }, { signal }));
  } catch (thrown) {
    return { error: toLatentError(thrown) };
  } finally {
    await Promise.all([near.close(), far.close()]);
  }
}

async function echo(stream: EncryptedStream): Promise<void> {
  try {
    for await (const message of stream.messages()) await stream.send(message);
    await stream.end();
  } catch {
    // The other side is ours too, and says what went wrong.
    stream.destroy();
  }
}

async function measure(stream: EncryptedStream): Promise<RelayExamination> {
  const incoming = stream.messages()[Symbol.asyncIterator]();
  const messages = RELAY_TEST_BYTES / MESSAGE_BYTES;
  // The first one pays for the handshake.
  await stream.send(new Uint8Array(1));
  await incoming.next();
  const askedMs = performance.now();
  await stream.send(new Uint8Array(1));
  await incoming.next();
  const roundTripMs = performance.now() - askedMs;
  const startedMs = performance.now();
  const receiving = (async () => {
    for (let at = 0; at < messages; at += 1) await incoming.next();
  })();
  for (let at = 0; at < messages; at += 1) await stream.send(new Uint8Array(MESSAGE_BYTES));
  await receiving;
  const seconds = (performance.now() - startedMs) / 1_000;
  stream.destroy();
  return { roundTripMs, megabytesPerSecond: (2 * RELAY_TEST_BYTES) / 1e6 / seconds };
}

function throwAwayKeys(): KeyPair {
  return createKeyPair(randomBytes(KEY_SEED_BYTES));
}
