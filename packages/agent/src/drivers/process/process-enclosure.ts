import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { procsFiles } from '../cgroup/job-cgroup.ts';
import type { CgroupAnswer } from '../cgroup/open-cgroup-tree.ts';
import type { DriverFingerprint, ExecCommand, JobSpec } from '../driver.ts';
import { refuseImage } from '../refuse-image.ts';
import { refuseNetwork } from '../refuse-network.ts';
import type { EnclosedCommand, Enclosure } from '../supervised/enclosure.ts';
import { jobFiles } from '../supervised/job-files.ts';
import { shellQuote } from '../supervised/shell-quote.ts';
import type { SupervisedJob } from '../supervised/supervised-job.ts';
import { readSurroundings, saveSurroundings } from '../supervised/surroundings.ts';
import { systemPath } from '../supervised/system-path.ts';
import { jobProcesses, markName } from './job-processes.ts';

/** Nothing around the job but a session of its own, a clean environment and, where the machine has them, cgroups. */
export function processEnclosure(cgroups: () => Promise<CgroupAnswer>): Enclosure {
  return {
    driver: 'process',
    overhead: 0,
    fingerprint: () => fingerprint(cgroups),
    leftovers: (limited) => (limited ? 'kill' : 'give-up'),
    enclose,
    members: jobProcesses,
    everything: jobProcesses,
    enter,
  };
}

async function fingerprint(cgroups: () => Promise<CgroupAnswer>): Promise<DriverFingerprint> {
  const answer = await cgroups();
  const limits = answer.usable
    ? `limits: cgroup v${answer.tree.version}`
    : `limits: none, since no cgroup can be made (${answer.reason})`;
  const notes = ["no isolation: a job can do what the agent's user can do", limits];
  return { available: true, isolation: 'none', version: '1', notes };
}

/** The renter's script under a small one that sets the scene. Limits without a cgroup are not kept (see the fingerprint). */
async function enclose(spec: JobSpec): Promise<EnclosedCommand> {
  refuseImage(spec, 'process');
  refuseNetwork(spec, 'process');
  const files = jobFiles(spec.stateDir);
  const env = environment(spec);
  await saveSurroundings(files, { env, workdir: spec.workdir, limitLines: '' });
  const begin = join(spec.stateDir, 'begin.sh');
  const exports = Object.entries(env).map(([name, value]) => `export ${name}=${shellQuote(value)}`);
  const lines = [
    `cd ${shellQuote(spec.workdir)} || exit 125`,
    // The agent may be dead by now, and nobody left to read the report.
    "trap '' PIPE; echo started >&3; trap - PIPE",
    'exec 3>&-',
    ...exports,
    `exec /bin/sh ${shellQuote(files.script)}`,
  ];
  await writeFile(begin, lines.join('\n'), { mode: 0o600 });
  return { argv: ['setsid', '/bin/sh', begin], env: { PATH: systemPath }, inputs: [] };
}

function environment(spec: JobSpec): Record<string, string> {
  const path = [...spec.toolchains.map((folder) => join(folder, 'bin')), systemPath].join(':');
  return { PATH: path, HOME: spec.workdir, TMPDIR: '/tmp', LANG: 'C.UTF-8', ...spec.env, [markName]: spec.stateDir };
}

async function enter(job: SupervisedJob, command: ExecCommand): Promise<EnclosedCommand> {
  const { env, workdir } = await readSurroundings(job.files);
  const joins = job.cgroup === undefined ? [] : procsFiles(job.cgroup);
  const lines = [
    ...joins.map((path) => `echo 0 >${shellQuote(path)} || exit 125`),
    `cd ${shellQuote(workdir)} || exit 125`,
    'exec "$@"',
  ];
  return {
    argv: ['/bin/sh', '-c', lines.join('\n'), 'sh', ...command.argv],
    env: { ...env, ...command.env, [markName]: job.stateDir },
    inputs: [],
  };
}
