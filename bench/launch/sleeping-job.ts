import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type FilledJob, fillEnvs, packJobFiles, parseJobFile } from '@latent/sdk';

/** A job that does nothing, and its packed files. */
export interface SleepingJob {
  readonly job: FilledJob;
  readonly archive: string;
}

const FILE_BYTES = 64 * 1024;
const JOB = `
name: bench
num_nodes: 4
workdir: files
resources:
  cpus: 1+
  memory: 1+
run: exec sleep 3600
config:
  latent:
    price_cap: 0.60
    max_hours: 1
`;

/** Writes the job's one file and packs it as `latent launch` does. */
export async function prepareSleepingJob(folder: string, signal: AbortSignal): Promise<SleepingJob> {
  await mkdir(join(folder, 'files'), { recursive: true });
  await writeFile(join(folder, 'files', 'data'), Buffer.alloc(FILE_BYTES, 'latent '));
  const job = fillEnvs(parseJobFile(JOB, 'bench'), {});
  const packed = await packJobFiles(job, { baseFolder: folder, homeFolder: folder, signal });
  const archive = join(folder, 'files.tar');
  await pipeline(Readable.from(packed.stream({ signal })), createWriteStream(archive), { signal });
  return { job, archive };
}
