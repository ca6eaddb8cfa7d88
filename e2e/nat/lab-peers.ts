import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Lab } from './lab.ts';
import type { LabProcess } from './lab-process.ts';
import { type PeerAnswer, type PeerCommand, peerAnswerSchema } from './peer-messages.ts';

const BOOK_FILE = fileURLToPath(new URL('book-process.ts', import.meta.url));
const PEER_FILE = fileURLToPath(new URL('peer-process.ts', import.meta.url));
const BOOK_PORT = 7001;

export interface FreshTimes {
  readonly answeredMs: number;
  readonly directMs: number | null;
}

/** A peer at a place of a lab. Methods throw what the peer says went wrong. */
export interface LabPeer {
  readonly key: string;
  readonly hints: readonly string[];
  /** @returns the route of the first answer, and after how long it came */
  connect(other: LabPeer): Promise<{ readonly ms: number; readonly route: string }>;
  /**
   * Connects by a transport that is made for it, as one that has not talked to anybody, and closes it again.
   * @param directWithinMs how long a direct path is waited for; 0: not at all
   * @returns milliseconds from the beginning until the first answer, and until the path was direct; null where it was not
   */
  connectAfresh(other: LabPeer, directWithinMs: number): Promise<FreshTimes>;
  route(other: LabPeer): Promise<string>;
  /** Messages there and back, one after the other. @returns the route after the last */
  echo(other: LabPeer, messages: number): Promise<string>;
  /** @returns megabytes per second, one way */
  bulk(other: LabPeer, bytes: number): Promise<number>;
  readonly process: LabProcess;
}

/** Books and peers of a lab, which know books by name in any family of addresses. */
export interface LabPeers<Place extends string> extends AsyncDisposable {
  /** Starts a real book at a public place. @returns its URL */
  book(place: Place): Promise<{ readonly url: string; readonly process: LabProcess }>;
  /** Starts a peer. */
  peer(place: Place, books: readonly string[]): Promise<LabPeer>;
  /** Runs a TypeScript file of the repository there. */
  node(place: Place, file: string, args: readonly string[], env?: Readonly<Record<string, string>>): LabProcess;
}

/** A path that is dead is noticed sooner than by default: tests wait for it. */
const PATH_TIMEOUT_MS = 1_000;

export async function openLabPeers<Place extends string>(
  lab: Lab<Place>,
  books: readonly Place[],
): Promise<LabPeers<Place>> {
  const folder = await mkdtemp(join(tmpdir(), 'latent-lab-'));
  const hosts = join(folder, 'hosts');
  const names = books.flatMap((place) => [
    `${lab.addressOf(place, 4)} ${place}`,
    `${lab.addressOf(place, 6)} ${place}`,
  ]);
  await writeFile(hosts, `127.0.0.1 localhost\n${names.join('\n')}\n`);
  // The system's own resolver reads the names: in a mount namespace of its own the file takes the place of the machine's.
  const node: LabPeers<Place>['node'] = (place, file, args, env = {}) =>
    lab.run(
      place,
      'unshare',
      ['--mount', 'sh', '-c', 'mount --bind "$0" /etc/hosts && exec "$@"', hosts, process.execPath, file, ...args],
      { env },
    );
  return {
    node,
    book: async (place) => {
      const url = `http://${place}:${BOOK_PORT}`;
      const running = node(place, BOOK_FILE, [join(folder, place), url, String(BOOK_PORT)]);
      await running.line(/^book is open$/);
      return { url, process: running };
    },
    peer: async (place, urls) => {
      const running = node(place, PEER_FILE, [JSON.stringify({ books: urls, pathTimeoutMs: PATH_TIMEOUT_MS })]);
      const read = async (): Promise<PeerAnswer> => {
        const [line] = await running.line(/^\{.*\}$/);
        return peerAnswerSchema.parse(JSON.parse(line));
      };
      const ready = await read();
      if (ready.kind !== 'ready') throw new Error(`the peer at ${place} did not start: ${running.printed()}`);
      return createPeer(running, ready, read);
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true }),
  };
}

function createPeer(
  running: LabProcess,
  { key, hints }: PeerAnswer & { readonly kind: 'ready' },
  read: () => Promise<PeerAnswer>,
): LabPeer {
  const ask = async <Kind extends PeerAnswer['kind']>(command: PeerCommand, kind: Kind) => {
    running.say(JSON.stringify(command));
    const answer = await read();
    if (isOf(answer, kind)) return answer;
    throw new Error(answer.kind === 'failed' ? answer.message : `the peer answers ${answer.kind} instead of ${kind}`);
  };
  return {
    key,
    hints,
    process: running,
    connect: (other) => ask({ kind: 'connect', key: other.key, hints: [...other.hints] }, 'connected'),
    connectAfresh: (other, directWithinMs) =>
      ask({ kind: 'fresh', key: other.key, hints: [...other.hints], directWithinMs }, 'freshly'),
    route: async (other) => (await ask({ kind: 'route', key: other.key }, 'route')).route,
    echo: async (other, messages) => (await ask({ kind: 'echo', key: other.key, messages }, 'echoed')).route,
    bulk: async (other, bytes) => (await ask({ kind: 'bulk', key: other.key, bytes }, 'bulk')).megabytesPerSecond,
  };
}

function isOf<Kind extends PeerAnswer['kind']>(
  answer: PeerAnswer,
  kind: Kind,
): answer is Extract<PeerAnswer, { readonly kind: Kind }> {
  return answer.kind === kind;
}
