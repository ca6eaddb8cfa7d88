import { LatentError } from '@latent/protocol';
import { readCpuSeconds } from '../harness/process-figures.ts';
import type { DiallerAsked, DiallerTold } from './notes.ts';
import type { Pair } from './start-pair.ts';

const BYTES_PER_GB = 1e9;
const BYTES_PER_MB = 1e6;

/** One transfer. */
export interface Transfer {
  readonly mbPerSecond: number;
  /** CPU seconds for each GB that was moved. */
  readonly diallerCpu: number;
  readonly listenerCpu: number;
  /** Of what is between them, a book or a forwarder. */
  readonly betweenCpu: number | undefined;
}

export interface Bulk {
  readonly messageBytes: number;
  readonly totalBytes: number;
}

/** @param betweenPid the process through which it goes, if there is one */
export async function moveBulk(pair: Pair, bulk: Bulk, betweenPid: number | undefined): Promise<Transfer> {
  const pids = [pair.dialler.pid, pair.listener.pid, ...(betweenPid === undefined ? [] : [betweenPid])];
  const before = await Promise.all(pids.map(readCpuSeconds));
  const { ms } = await askFor(pair, 'took', { kind: 'bulk', ...bulk });
  const after = await Promise.all(pids.map(readCpuSeconds));
  const gb = bulk.totalBytes / BYTES_PER_GB;
  const [diallerCpu = Number.NaN, listenerCpu = Number.NaN, betweenCpu] = after.map(
    (seconds, at) => (seconds - (before[at] ?? 0)) / gb,
  );
  return { mbPerSecond: bulk.totalBytes / BYTES_PER_MB / (ms / 1_000), diallerCpu, listenerCpu, betweenCpu };
}

export interface Calls {
  readonly count: number;
  readonly atOnce: number;
  readonly bytes: number;
}

/** @returns calls a second */
export async function rateCalls(pair: Pair, calls: Calls): Promise<number> {
  const { ms } = await askFor(pair, 'took', { kind: 'calls', ...calls });
  return calls.count / (ms / 1_000);
}

/** Asks the dialler, and takes nothing but the answer to that. */
export async function askFor<Kind extends DiallerTold['kind']>(
  { dialler, way }: Pair,
  kind: Kind,
  asked: DiallerAsked,
): Promise<Extract<DiallerTold, { kind: Kind }>> {
  const told = await dialler.ask(asked);
  if (isOfKind(told, kind)) return told;
  throw new LatentError('INTERNAL', `The dialler of ${way} told "${told.kind}" instead of "${kind}".`);
}

function isOfKind<Kind extends DiallerTold['kind']>(
  told: DiallerTold,
  kind: Kind,
): told is Extract<DiallerTold, { kind: Kind }> {
  return told.kind === kind;
}
