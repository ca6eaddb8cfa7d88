import { z } from 'zod';
import type { JobStats } from '../driver.ts';
import { overhead } from './container-config.ts';
import type { Engine } from './engine/open-engine.ts';
import { readAnswer } from './engine/read-answer.ts';

const count = z.number().nonnegative().optional();
const statsSchema = z.object({
  cpu_stats: z.object({ cpu_usage: z.object({ total_usage: count }).optional() }).optional(),
  memory_stats: z.object({ usage: count }).optional(),
  pids_stats: z.object({ current: count }).optional(),
});

const none: JobStats = { cpuSeconds: 0, memoryBytes: 0, processes: 0 };

/** What a running container uses; nothing where it does not run. @throws LatentError DRIVER_UNAVAILABLE, DRIVER_FAILED */
export async function containerStats(engine: Engine, container: string): Promise<JobStats> {
  const answer = await engine.ask(`/containers/${container}/stats?stream=false&one-shot=true`);
  if (answer.status === 404 || answer.status === 409) return none;
  const { cpu_stats, memory_stats, pids_stats } = readAnswer(answer, statsSchema, 'measure a container');
  return {
    cpuSeconds: (cpu_stats?.cpu_usage?.total_usage ?? 0) / 1e9,
    memoryBytes: memory_stats?.usage ?? 0,
    processes: Math.max(0, (pids_stats?.current ?? 0) - overhead),
  };
}
