import { Duplex } from 'streamx';
import { MAX_DATA_BYTES } from '../connection/path-message.ts';
import { createKeyPair, KEY_SEED_BYTES } from '../key-pair.ts';
import type { Path } from '../paths/path.ts';
import { securePath } from '../paths/secure-path.ts';
import { expectBound, type Fed, type Fuzzed, type FuzzTarget } from './fuzz-target.ts';
import { type Samples, toSamples } from './spoil-bytes.ts';

const near = createKeyPair(new Uint8Array(KEY_SEED_BYTES).fill(1));
const far = createKeyPair(new Uint8Array(KEY_SEED_BYTES).fill(2));

/** One end of bytes in memory. */
class MemoryBytes extends Duplex {
  /** Takes what is written. */
  onWritten: (bytes: Uint8Array) => void = () => undefined;

  protected override _write(data: Uint8Array, done: () => void): void {
    // It is written over later.
    this.onWritten(Uint8Array.from(data));
    done();
  }
}

/** Everything that was put off has been done. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

function secure(raw: MemoryBytes, isInitiator: boolean, signal: AbortSignal): Promise<Path | undefined> {
  const keyPair = isInitiator ? near : far;
  const route = () => ({ kind: 'relayed', through: 'memory' }) as const;
  // Why one fails is nothing that a stranger hears.
  return securePath(raw, { keyPair, isInitiator, route, hasPackets: false, signal }).catch(() => undefined);
}

/** What both sides of a handshake write. */
async function recordHandshake(): Promise<{ readonly dialler: Samples; readonly listener: Samples }> {
  const { signal } = new AbortController();
  const said: Record<'dialler' | 'listener', Uint8Array[]> = { dialler: [], listener: [] };
  const ends = [new MemoryBytes(), new MemoryBytes()] as const;
  ends[0].onWritten = (bytes) => {
    said.dialler.push(bytes);
    ends[1].push(bytes.slice());
  };
  ends[1].onWritten = (bytes) => {
    said.listener.push(bytes);
    ends[0].push(bytes.slice());
  };
  const paths = await Promise.all([secure(ends[0], true, signal), secure(ends[1], false, signal)]);
  for (const path of paths) path?.destroy();
  return { dialler: toSamples(said.dialler), listener: toSamples(said.listener) };
}

function openHandshake(isInitiator: boolean): Fuzzed {
  const over = new AbortController();
  const raw = new MemoryBytes();
  let isOpen = true;
  let wasOpened = false;
  void secure(raw, isInitiator, over.signal).then((path) => {
    isOpen = false;
    wasOpened = path !== undefined;
    path?.destroy();
  });
  return {
    feed: async (input): Promise<Fed> => {
      raw.push(input.slice());
      await turn();
      if (wasOpened) throw new TypeError('a path opened to nobody');
      return isOpen ? 'taken' : 'over';
    },
    close: () => over.abort(),
  };
}

/** A path whose other end is known, with somebody between who spoils what it says. */
async function openPath(): Promise<Fuzzed> {
  const over = new AbortController();
  const [dialler, listener] = [new MemoryBytes(), new MemoryBytes()];
  let sealed: Uint8Array | undefined;
  let isThrough = true;
  dialler.onWritten = (bytes) => {
    if (isThrough) listener.push(bytes);
    else sealed = bytes;
  };
  listener.onWritten = (bytes) => void dialler.push(bytes);
  const [one, other] = await Promise.all([secure(dialler, true, over.signal), secure(listener, false, over.signal)]);
  if (one === undefined || other === undefined) throw new TypeError('an honest handshake failed');
  // Its last words arrive before anything is spoiled.
  await turn();
  isThrough = false;
  let isOver = false;
  const said: Uint8Array[] = [];
  let heard = 0;
  let isWrong = false;
  other.start({
    onMessage: (bytes) => {
      // A byte that was cut off may be made up for by chance: then it is the right message.
      isWrong ||= !isEqual(bytes, said[heard]);
      heard += 1;
    },
    onUnordered: () => undefined,
    onDrain: () => undefined,
    onEnded: () => {
      isOver = true;
    },
  });
  return {
    feed: async (input) => {
      said.push(input.slice(0, MAX_DATA_BYTES));
      one.sendMessage(input.slice(0, MAX_DATA_BYTES));
      await turn();
      const right = sealed;
      if (right === undefined) throw new TypeError('nothing was sealed');
      // What was sealed comes with a bit of the input's choice flipped, or cut, or is the input itself.
      const spoiled = spoilSealed(right, input);
      listener.push(spoiled);
      await turn();
      expectBound('wrong messages', isWrong ? 1 : 0, 0);
      return isOver ? 'over' : 'taken';
    },
    close: () => {
      over.abort();
      one.destroy();
      other.destroy();
    },
  };
}

function spoilSealed(sealed: Uint8Array, input: Uint8Array): Uint8Array {
  const [choice = 0, at = 0, more = 0] = input;
  if (choice % 3 === 0) return sealed.slice(0, Math.max(0, sealed.byteLength - 1 - (at % sealed.byteLength)));
  if (choice % 3 === 1) return input.slice();
  const spoiled = sealed.slice();
  const place = (at * 256 + more) % spoiled.byteLength;
  spoiled[place] = (spoiled[place] ?? 0) ^ (1 << (choice % 8));
  return spoiled;
}

/** Handshakes are dear: these get a small share. */
export async function createSecureTargets(): Promise<readonly FuzzTarget[]> {
  const { dialler, listener } = await recordHandshake();
  return [
    { name: 'handshakes, accepting', samples: dialler, share: 15_000, open: () => openHandshake(false) },
    { name: 'handshakes, dialling', samples: listener, share: 15_000, open: () => openHandshake(true) },
    { name: 'sealed messages', samples: [Uint8Array.of(2, 0, 3), new Uint8Array(40)], share: 10_000, open: openPath },
  ];
}

function isEqual(bytes: Uint8Array, expected: Uint8Array | undefined): boolean {
  return expected?.byteLength === bytes.byteLength && expected.every((byte, at) => byte === bytes[at]);
}
