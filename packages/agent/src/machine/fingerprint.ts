import { availableParallelism, cpus, totalmem } from 'node:os';
import type { AgentOptions } from '../options.ts';

/** What a machine says of itself. Labels, not proof. */
export interface Machine {
  /** Name of the processor as the system gives it. */
  readonly model: string;
  readonly cpuCores: number;
  readonly memoryMiB: number;
}

const MIB = 1024 * 1024;
/** Share of the memory that is on offer unless the operator says otherwise; the rest is the machine's own. */
const OFFERED_MEMORY = 0.75;

/** Reads the machine, and cuts it down to what the operator offers. Never offers more than there is. */
export function fingerprintMachine(options: Pick<AgentOptions, 'cpuCores' | 'memoryMiB'>): Machine {
  const cores = availableParallelism();
  const memoryMiB = Math.floor(totalmem() / MIB);
  return {
    model: (cpus()[0]?.model ?? 'unknown processor').replaceAll(/\s+/g, ' ').trim().slice(0, 64),
    cpuCores: Math.min(options.cpuCores ?? cores, cores),
    memoryMiB: Math.min(options.memoryMiB ?? Math.floor(memoryMiB * OFFERED_MEMORY), memoryMiB),
  };
}
