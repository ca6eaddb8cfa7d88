import type { Discovery, SourceName, SourceNote, SourceReport } from './device.ts';
import type { DiscoverySystem } from './discovery-system.ts';
import { mergeSightings } from './merge-sightings.ts';
import { notMeasured } from './reports.ts';
import { askCuda } from './sources/cuda.ts';
import { askNvml } from './sources/nvml.ts';
import { askProcessor } from './sources/processor.ts';
import { askRocm } from './sources/rocm.ts';
import { askSysfs } from './sources/sysfs.ts';
import { askSystemProfiler } from './sources/system-profiler.ts';
import { askWebgpu, type WebgpuAdapters } from './sources/webgpu.ts';
import { thisMachine } from './this-machine.ts';

/** A driver that is broken may never answer. Starting NVIDIA's takes some seconds where it is not kept awake. */
const DEFAULT_TIMEOUT_MS = 20_000;

export interface DiscoverOptions {
  /** What to see of the machine; this one by default. */
  readonly system?: DiscoverySystem;
  /** Asks the WebGPU engine; without it WebGPU is not asked, and the notes say so. */
  readonly webgpuAdapters?: WebgpuAdapters;
  readonly signal?: AbortSignal;
  /** For each source. One that is late is noted as not measured, and its answer is dropped. */
  readonly timeoutMs?: number;
}

/**
 * The devices of this machine, by every source that there is. What they call themselves is no proof of anything. No source's
 * failure fails the call: it becomes a note.
 * @throws the signal's reason, when it aborts
 */
export async function discoverDevices(options: DiscoverOptions = {}): Promise<Discovery> {
  const { system = thisMachine(), webgpuAdapters, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  const stop = options.signal ?? new AbortController().signal;
  const ask = (source: SourceName, work: (signal: AbortSignal) => Promise<SourceReport>) =>
    askWithin(source, work, stop, timeoutMs);
  const reports = await Promise.all([
    askNvidia(ask, system),
    ask('rocm', () => askRocm(system)),
    ask('sysfs', () => askSysfs(system)),
    ask('system-profiler', (signal) => askSystemProfiler(system, signal)),
    ask('webgpu', (signal) => askWebgpu(webgpuAdapters, signal)),
    ask('processor', () => askProcessor(system)),
  ]);
  stop.throwIfAborted();
  const flat = reports.flat();
  const { devices, unplaced } = mergeSightings(flat.flatMap(({ report }) => report.sightings));
  return {
    devices,
    notes: flat.map(({ source, report }) => toNote(source, report, source === 'webgpu' ? unplaced : [])),
  };
}

interface Asked {
  readonly source: SourceName;
  readonly report: SourceReport;
}

/** CUDA knows nothing that NVML does not, so it is asked only where NVML has told of no device. */
async function askNvidia(
  ask: (source: SourceName, work: () => Promise<SourceReport>) => Promise<Asked>,
  system: DiscoverySystem,
): Promise<readonly Asked[]> {
  const nvml = await ask('nvml', () => askNvml(system));
  const cuda = await ask('cuda', async () =>
    nvml.report.sightings.length > 0 ? notMeasured('was not asked: NVML has answered') : askCuda(system),
  );
  return [nvml, cuda];
}

async function askWithin(
  source: SourceName,
  work: (signal: AbortSignal) => Promise<SourceReport>,
  stop: AbortSignal,
  timeoutMs: number,
): Promise<Asked> {
  const late = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([stop, late]);
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    return { source, report: await Promise.race([work(signal), aborted]) };
  } catch (error) {
    stop.throwIfAborted();
    const reason = late.aborted ? `did not answer within ${timeoutMs} ms` : `failed: ${messageOf(error)}`;
    return { source, report: notMeasured(reason) };
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function toNote(
  source: SourceName,
  { outcome, detail, returnCode }: SourceReport,
  more: readonly string[],
): SourceNote {
  const note = { source, outcome, detail: [detail, ...more].join('; ') };
  return returnCode === undefined ? note : { ...note, returnCode };
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 300);
}
