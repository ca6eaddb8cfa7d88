import { readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LatentError } from '@latent/protocol';
import { enterNamespace } from '../../network/namespace/held-namespace.ts';
import { cgroupPids, procsFiles } from '../cgroup/job-cgroup.ts';
import type { CgroupAnswer } from '../cgroup/open-cgroup-tree.ts';
import type { DriverFingerprint, ExecCommand, JobSpec } from '../driver.ts';
import { jobUid } from '../job-user.ts';
import { refuseImage } from '../refuse-image.ts';
import type { EnclosedCommand, Enclosure } from '../supervised/enclosure.ts';
import { jobFiles } from '../supervised/job-files.ts';
import { limitLines } from '../supervised/limit-lines.ts';
import { type ProcessInfo, readProcesses } from '../supervised/process-table.ts';
import { shellQuote } from '../supervised/shell-quote.ts';
import type { SupervisedJob } from '../supervised/supervised-job.ts';
import { readSurroundings, saveSurroundings } from '../supervised/surroundings.ts';
import { systemPath } from '../supervised/system-path.ts';
import {
  accountFiles,
  bwrapArguments,
  enterArguments,
  inputFd,
  joinArguments,
  sandboxEnv,
  sandboxScript,
} from './bwrap-arguments.ts';
import { readMachineView } from './machine-view.ts';
import type { SandboxAnswer } from './probe-sandbox.ts';
import { asJobUser, dropRoot, lentFolders, readyLending } from './sandbox-command.ts';
import { sandboxProcesses } from './sandbox-processes.ts';
import { assemble } from './seccomp/bpf.ts';
import { jobFilter } from './seccomp/job-filter.ts';

type Usable = Extract<SandboxAnswer, { usable: true }>;

export interface SandboxParts {
  readonly cgroups: () => Promise<CgroupAnswer>;
  readonly probe: (signal: AbortSignal) => Promise<SandboxAnswer>;
}

/** bubblewrap's own two processes: the one that waits outside, and the first of the PID namespace. */
const overhead = 2;
const env = { PATH: systemPath };
/** In the job's own user namespace its first process is counted with it. */
const countedInside = 1;

export function sandboxEnclosure(parts: SandboxParts): Enclosure {
  const usable = async (signal: AbortSignal): Promise<Usable> => {
    const answer = await parts.probe(signal);
    if (answer.usable) return answer;
    throw new LatentError('DRIVER_UNAVAILABLE', `Sandboxes do not work on this machine: ${answer.reason}.`, {
      hint: answer.remedy,
    });
  };
  let commands = 0;
  return {
    driver: 'sandbox',
    overhead,
    fingerprint: ({ signal }) => fingerprint(parts, signal),
    // The PID namespace ends with the job's main process, and all that is in it.
    leftovers: () => 'none-left',
    enclose: async (spec, { limited, signal }) => enclose(spec, await usable(signal), limited),
    members: async (job) => (await sandboxProcesses(job)).members,
    everything: everythingOf,
    async enter(job, command) {
      commands += 1;
      const args = join(job.stateDir, `enter-${process.pid}-${commands}.args`);
      return enter(job, command, await usable(AbortSignal.timeout(probeLimitMs)), args);
    },
  };
}

const probeLimitMs = 30_000;

async function fingerprint(parts: SandboxParts, signal: AbortSignal): Promise<DriverFingerprint> {
  const [answer, cgroups] = await Promise.all([parts.probe(signal), parts.cgroups()]);
  if (!answer.usable) return { available: false, reason: answer.reason, remedy: answer.remedy };
  const limits = cgroups.usable
    ? `limits: memory, cpu and processes by cgroup v${cgroups.tree.version}`
    : `limits: processes, and memory of each process, by rlimit; cpu is not limited (no cgroup: ${cgroups.reason})`;
  const notes = [
    limits,
    'network: shared with the machine, and a job can reach what the machine can, its local services included; one in a private network reaches that alone',
    answer.root ? 'the agent is root: each job runs as a user of its own' : "jobs run as the agent's user",
    'disk: not limited',
  ];
  return { available: true, isolation: 'namespaces', version: answer.version, notes };
}

async function everythingOf(job: SupervisedJob): Promise<readonly ProcessInfo[]> {
  const { init, members } = await sandboxProcesses(job);
  if (init !== undefined) return [init, ...members];
  // The trace to them is lost with their supervisor. They die with it, but not in the same instant.
  if (job.cgroup === undefined) return members;
  const pids = new Set(await cgroupPids(job.cgroup));
  return (await readProcesses()).filter((info) => pids.has(info.pid));
}

async function enclose(spec: JobSpec, answer: Usable, limited: boolean): Promise<EnclosedCommand> {
  refuseImage(spec, 'sandbox');
  const { tools } = answer;
  const files = jobFiles(spec.stateDir);
  const uid = answer.root ? jobUid(spec.jobId) : undefined;
  if (uid !== undefined) await readyLending(spec);
  const lines = limited ? '' : limitLines({ ...spec.limits, processes: spec.limits.processes + countedInside });
  const jobEnv = sandboxEnv(spec.env, spec.toolchains);
  await saveSurroundings(files, {
    env: jobEnv,
    workdir: spec.workdir,
    limitLines: lines,
    ...(uid === undefined ? {} : { uid }),
    ...(spec.network === undefined ? {} : { namespacePath: spec.network.namespacePath }),
  });
  const seen = uid === undefined ? spec : lentFolders(spec);
  const args = bwrapArguments({
    jobId: spec.jobId,
    view: await readMachineView(),
    env: jobEnv,
    limits: spec.limits,
    workdir: seen.workdir,
    toolchains: seen.toolchains,
  });
  const write = async (name: string, content: string | Uint8Array) => {
    const path = join(spec.stateDir, name);
    await writeFile(path, content, { mode: 0o600 });
    return { path };
  };
  const accounts = accountFiles(spec.jobId, spec.network?.address ?? spec.address, spec.network?.hosts ?? []);
  const inputs = [
    await write(filterFile, assemble(jobFilter(answer.machine))),
    await write('bwrap.args', joinArguments(args)),
    { path: files.script },
    await write('passwd', accounts.passwd),
    await write('group', accounts.group),
    await write('hosts', accounts.hosts),
  ];
  const joining = spec.network === undefined ? [] : enterNamespace(spec.network.namespacePath, tools.nsenter);
  const prefix = [...joining, ...(uid === undefined ? [] : asJobUser(tools, uid, spec))];
  return { argv: [...prefix, tools.bwrap, '--args', inputFd('args'), '/bin/sh', '-c', begin(lines)], env, inputs };
}

const filterFile = 'seccomp.bpf';

/** What runs first inside: reports the start, keeps nothing open that the job has no business with, and makes way. */
function begin(limits: string): string {
  return [
    limits,
    // The agent may be dead by now, and nobody left to read the report.
    "trap '' PIPE; echo started >&3; trap - PIPE",
    'exec 3>&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-',
    `exec /bin/sh ${sandboxScript}`,
  ].join('\n');
}

/**
 * Joins the job's namespaces, the network's first, for which only the agent's own user has the right, and its cgroup, so the command sees
 * the very same files, /tmp, network and processes, and gives up capabilities and takes on the filter by a second bubblewrap. What differs: it
 * is no child of the job, and one that detaches itself is only ended with the job.
 */
async function enter(
  job: SupervisedJob,
  command: ExecCommand,
  { tools }: Usable,
  argsFile: string,
): Promise<EnclosedCommand> {
  const surroundings = await readSurroundings(job.files);
  const { init } = await sandboxProcesses(job);
  if (init === undefined) throw new LatentError('MEMBER_NOT_STARTED', `The job ${job.jobId} does not run.`);
  const network = surroundings.namespacePath;
  if (network !== undefined && !(await isSameNamespace(network, `/proc/${init.pid}/ns/net`))) {
    throw new LatentError('MEMBER_NOT_STARTED', `The private network of the job ${job.jobId} is gone.`);
  }
  await writeFile(argsFile, joinArguments(enterArguments({ ...surroundings.env, ...command.env })), { mode: 0o600 });
  const joins = job.cgroup === undefined ? [] : procsFiles(job.cgroup);
  const outside = [...joins.map((path) => `echo 0 >${shellQuote(path)} || exit 125`), 'exec "$@"'].join('\n');
  const inside = [surroundings.limitLines, 'exec 4<&- 5<&-', 'exec "$@"'].join('\n');
  const argv = [
    ...['/bin/sh', '-c', outside, 'sh'],
    ...(network === undefined ? [] : enterNamespace(network, tools.nsenter)),
    ...(surroundings.uid === undefined ? [] : dropRoot(tools, surroundings.uid)),
    ...[tools.nsenter, `--target=${init.pid}`, '--preserve-credentials'],
    ...['--user', '--mount', '--pid', '--ipc', '--uts', '--cgroup', '--'],
    ...[tools.bwrap, '--args', inputFd('args'), '/bin/sh', '-c', inside, 'sh', ...command.argv],
  ];
  return { argv, env, inputs: [{ path: join(job.stateDir, filterFile) }, { path: argsFile, once: true }] };
}

/** Whether the file still stands for the namespace that the job is in: the number of a process may be another's by now. */
async function isSameNamespace(path: string, other: string): Promise<boolean> {
  const names = await Promise.all([path, other].map((link) => readlink(link).catch(() => undefined)));
  return names[0] !== undefined && names[0] === names[1];
}
