import { LatentError } from '@latent/protocol';
import { type BenchProcess, startProcess } from '../harness/start-process.ts';
import {
  type ForwarderAsked,
  type ForwarderSetup,
  type ForwarderTold,
  forwarderToldSchema,
} from './forwarder-notes.ts';
import {
  type DiallerAsked,
  type DiallerSetup,
  type DiallerTold,
  diallerToldSchema,
  type ListenerAsked,
  type ListenerSetup,
  type ListenerTold,
  listenerToldSchema,
  type WayName,
} from './notes.ts';

export type DiallerProcess = BenchProcess<DiallerAsked, DiallerTold>;
export type ListenerProcess = BenchProcess<ListenerAsked, ListenerTold>;
export type ForwarderProcess = BenchProcess<ForwarderAsked, ForwarderTold>;

/** What the way between two ends does to what takes it, each way. */
export type Shape = Pick<ForwarderSetup, 'delayMs' | 'loss' | 'seed'>;

/** Two ends of one way, each in a process of its own. */
export interface Pair {
  readonly way: WayName;
  readonly dialler: DiallerProcess;
  readonly listener: ListenerProcess;
  /** What stands between them; undefined: nothing but loopback. */
  readonly forwarder: ForwarderProcess | undefined;
  end(): Promise<void>;
}

/** What all ways are started with. */
export type Common = Pick<ListenerSetup, 'seed' | 'book' | 'certificate' | 'privateKey'>;

export interface PairOptions {
  readonly common: Common;
  readonly shape?: Shape;
  readonly signal: AbortSignal;
}

export async function startPair(way: WayName, { common, shape, signal }: PairOptions): Promise<Pair> {
  const started: { end(): Promise<void> }[] = [];
  const end = async () => {
    await Promise.all(started.map((one) => one.end()));
  };
  try {
    const listenerSetup: ListenerSetup = { ...common, way };
    const listener: ListenerProcess = await startProcess({
      file: new URL('./listener-process.ts', import.meta.url),
      setup: listenerSetup,
      told: listenerToldSchema,
      signal,
    });
    started.push(listener);
    if (listener.ready.kind !== 'ready') throw new LatentError('INTERNAL', 'A listener did not tell where it is.');
    let { at } = listener.ready;
    let forwarder: ForwarderProcess | undefined;
    if (shape !== undefined) {
      const to = portOf(at);
      forwarder = await startForwarder({ ...shape, to, protocol: way === 'wss' ? 'tcp' : 'udp' }, signal);
      started.push(forwarder);
      if (forwarder.ready.kind === 'ready') at = at.replace(String(to), String(forwarder.ready.port));
    }
    const diallerSetup: DiallerSetup = { ...common, way, at };
    const dialler: DiallerProcess = await startProcess({
      file: new URL('./dialler-process.ts', import.meta.url),
      setup: diallerSetup,
      told: diallerToldSchema,
      signal,
    });
    started.push(dialler);
    return { way, dialler, listener, forwarder, end };
  } catch (thrown) {
    await end();
    throw thrown;
  }
}

function startForwarder(setup: ForwarderSetup, signal: AbortSignal): Promise<ForwarderProcess> {
  return startProcess({
    file: new URL('./forwarder-process.ts', import.meta.url),
    setup,
    told: forwarderToldSchema,
    signal,
  });
}

/** The last number of a hint, a URL, or of a port by itself. */
function portOf(at: string): number {
  return Number(/(\d+)$/.exec(at)?.[1] ?? Number.NaN);
}
