import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface SmallJob {
  readonly name: string;
  readonly machines?: number;
  /** Dollars per device-hour. */
  readonly priceCap?: string;
  readonly setup?: string;
  readonly run: string;
  /** As `resources.image_id` has it. */
  readonly image?: string;
  readonly outputs?: readonly string[];
  readonly network?: 'private' | 'host';
  /** Folder that is sent. */
  readonly workdir?: string;
  /** Names of variables that the caller gives. */
  readonly envs?: readonly string[];
}

/** Says "start" once and then "tick 0", "tick 1", …, five a second, for two minutes. */
export const TICKS = 'echo start $$; i=0; while [ $i -lt 600 ]; do echo tick $i; i=$((i+1)); sleep 0.2; done';

/** Writes a job file below `home`, and gives its path. */
export function writeJob(home: string, job: SmallJob): string {
  const folder = join(home, 'jobs');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${job.name}.yaml`);
  const envs = (job.envs ?? []).map((name) => `\n  ${name}: null`).join('');
  const image = job.image === undefined ? '' : `resources:\n  image_id: ${job.image}\n`;
  const setup = job.setup === undefined ? '' : `setup: |\n${job.setup.replaceAll(/^/gm, '  ')}\n`;
  const outputs = (job.outputs ?? []).map((output) => `\n      - ${output}`).join('');
  writeFileSync(
    path,
    `name: ${job.name}
num_nodes: ${job.machines ?? 2}
${job.workdir === undefined ? '' : `workdir: ${job.workdir}\n`}${image}${envs === '' ? '' : `envs:${envs}\n`}${setup}run: |
${job.run.replaceAll(/^/gm, '  ')}
config:
  latent:
    price_cap: ${job.priceCap ?? '0.60'}
    max_hours: 0.5
    spares: 0
${job.network === undefined ? '' : `    network: ${job.network}\n`}${outputs === '' ? '' : `    outputs:${outputs}\n`}`,
  );
  return path;
}
