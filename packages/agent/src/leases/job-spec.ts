import { LatentError } from '@latent/protocol';
import type { JobSpec } from '../drivers/driver.ts';
import { shellQuote } from '../drivers/supervised/shell-quote.ts';
import { jobFolders } from './job-folders.ts';
import type { LeaseDesk } from './lease-desk.ts';
import type { MemberRecord, StepName } from './member-record.ts';

/** Processes that one member may have. */
const MAX_PROCESSES = 4096;
/** Stands still, so that commands have surroundings to run in; it ends with the member. */
const SHELL_SCRIPT = 'exec sleep 2147483647';

/** The kernel takes no argument of 128 KiB; a longer script is left to `/bin/sh`. */
const MAX_ARGUMENT_BYTES = 120_000;

/** SkyPilot's scripts are written for bash, so it runs them wherever the machine has it. */
function preferBash(script: string): string {
  const quoted = shellQuote(script);
  if (Buffer.byteLength(quoted) > MAX_ARGUMENT_BYTES) return script;
  return `if command -v bash >/dev/null; then exec bash -c ${quoted}; fi\n${script}`;
}

/** What the driver is given for a step of a member's job. The private network is up then, if the member is in one. */
export async function jobSpec(desk: LeaseDesk, record: MemberRecord, step: StepName): Promise<JobSpec> {
  if (record.job === null) throw new LatentError('INTERNAL', `Lease ${record.leaseId} has no job to run.`);
  const { context, asks, networks } = desk;
  const { dataDir, address, toolchains } = context.options;
  const network = await networks.jobNetwork(record);
  const { resource } = asks.current.signed;
  const folders = jobFolders(dataDir, record.leaseId);
  const { setup, run, image, env } = record.job;
  return {
    jobId: `${folders.name}-${step}`,
    script: { setup: preferBash(setup), run: preferBash(run), shell: SHELL_SCRIPT }[step],
    env,
    workdir: folders.work,
    stateDir: folders.state[step],
    limits: { memoryBytes: resource.memoryMiB * 1024 * 1024, cpus: resource.cpuCores, processes: MAX_PROCESSES },
    address: network?.address ?? address,
    toolchains,
    ...(image === undefined ? {} : { image, imageDir: folders.image }),
    ...(network === undefined ? {} : { network }),
  };
}
