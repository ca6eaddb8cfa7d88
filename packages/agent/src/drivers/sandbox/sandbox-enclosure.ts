import { readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LatentError } from '@latent/protocol';
import { enterNamespace } from '../../network/namespace/held-namespace.ts';
import { cgroupPids, procsFiles } from '../cgroup/job-cgroup.ts';
import type { CgroupAnswer } from '../cgroup/open-cgroup-tree.ts';
import type { DriverFingerprint, ExecCommand, JobSpec } from '../driver.ts';
import { jobUid } from '../job-user.ts';
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
import { enterImageArguments, imageArguments, imageEnv, imageScript, processesFd } from './image-arguments.ts';
import { readMachineView } from './machine-view.ts';
import type { SandboxAnswer } from './probe-sandbox.ts';
import { dropRoot, lentFolders, readyLending } from './sandbox-command.ts';
import {
  enterMounts,
  imageSurroundings,
  jobPrefix,
  type OpenedImage,
  resolverCopy,
  type SandboxImages,
} from './sandbox-images.ts';
import { sandboxProcesses } from './sandbox-processes.ts';
import { assemble } from './seccomp/bpf.ts';
import { jobFilter } from './seccomp/job-filter.ts';

type Usable = Extract<SandboxAnswer, { usable: true }>;

export interface SandboxParts {
  readonly cgroups: () => Promise<CgroupAnswer>;
  readonly probe: (signal: AbortSignal) => Promise<SandboxAnswer>;
  readonly images: SandboxImages;
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
    async enclose(spec, { limited, signal }) {
      const answer = await usable(signal);
      return enclose(spec, answer, { limited, image: await parts.images.open(spec, answer, { signal }) });
    },
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
    'network: shared with the machine, and a job can reach what the machine can, its local services included; one in a private network reaches that, and public addresses where it has a way out',
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

interface EncloseOptions {
  readonly limited: boolean;
  readonly image: OpenedImage | undefined;
}

async function enclose(spec: JobSpec, answer: Usable, { limited, image }: EncloseOptions): Promise<EnclosedCommand> {
  const { tools } = answer;
  const files = jobFiles(spec.stateDir);
  const uid = answer.root ? jobUid(spec.jobId) : undefined;
  if (uid !== undefined) await readyLending(spec);
  const lines = limited ? '' : limitLines({ ...spec.limits, processes: spec.limits.processes + countedInside });
  const jobEnv = image === undefined ? sandboxEnv(spec.env, spec.toolchains) : imageEnv(image.tree.env, spec.env);
  const seen = uid === undefined ? spec : lentFolders(spec);
  const shown = { workdir: seen.workdir, shmBytes: Math.floor(spec.limits.memoryBytes / 2) };
  await saveSurroundings(files, {
    env: jobEnv,
    workdir: spec.workdir,
    limitLines: lines,
    ...(uid === undefined ? {} : { uid }),
    ...imageSurroundings(image, shown),
    ...(spec.network === undefined ? {} : { namespacePath: spec.network.namespacePath }),
  });
  const plan = { jobId: spec.jobId, env: jobEnv, limits: spec.limits, toolchains: seen.toolchains, ...shown };
  const ownResolver = spec.network !== undefined;
  const args =
    image === undefined
      ? bwrapArguments({ ...plan, ownResolver, view: await readMachineView() })
      : imageArguments({ ...plan, root: image.root.path });
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
  if (ownResolver) {
    const resolver = await write(resolverCopy, resolverText(spec.network));
    // A job in an image is given a copy, and would find the file open.
    if (image === undefined) inputs.push(resolver);
  }
  const joining = spec.network === undefined ? [] : enterNamespace(spec.network.namespacePath, tools.nsenter);
  const prefix = [...joining, ...(await jobPrefix(tools, uid, { spec, image }))];
  const first = begin(lines, image === undefined ? sandboxScript : imageScript);
  return { argv: [...prefix, tools.bwrap, '--args', inputFd('args'), '/bin/sh', '-c', first], env, inputs };
}

const filterFile = 'seccomp.bpf';

/** That of the machine is of no use in a private network, and says where its own network's is. */
const resolverText = (network: JobSpec['network']) =>
  network?.nameserver === undefined ? '# no way out of the private network\n' : `nameserver ${network.nameserver}\n`;

/** What runs first inside: reports the start, keeps nothing open that the job has no business with, and makes way. */
function begin(limits: string, script: string): string {
  return [
    limits,
    // The agent may be dead by now, and nobody left to read the report.
    "trap '' PIPE; echo started >&3; trap - PIPE",
    'exec 3>&- 4<&- 5<&- 6<&- 7<&- 8<&- 9<&-',
    `exec /bin/sh ${script}`,
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
  const { image } = surroundings;
  const commandEnv = { ...surroundings.env, ...command.env };
  const args = image === undefined ? enterArguments(commandEnv) : enterImageArguments({ ...image, env: commandEnv });
  await writeFile(argsFile, joinArguments(args), { mode: 0o600 });
  const joins = job.cgroup === undefined ? [] : procsFiles(job.cgroup);
  const processes = image === undefined ? [] : [`exec ${processesFd}</proc/${init.pid}/ns/pid || exit 125`];
  const cgroups = joins.map((path) => `echo 0 >${shellQuote(path)} || exit 125`);
  const outside = [...cgroups, ...processes, 'exec "$@"'].join('\n');
  const inside = [surroundings.limitLines, `exec 4<&- 5<&- ${processesFd}<&-`, 'exec "$@"'].join('\n');
  const argv = [
    ...['/bin/sh', '-c', outside, 'sh'],
    ...(network === undefined ? [] : enterNamespace(network, tools.nsenter)),
    ...enterMounts(tools, image, init.parent),
    ...(surroundings.uid === undefined ? [] : dropRoot(tools, surroundings.uid)),
    ...[tools.nsenter, `--target=${init.pid}`, '--preserve-credentials'],
    ...['--user', ...(image === undefined ? ['--mount', '--pid'] : []), '--ipc', '--uts', '--cgroup', '--'],
    ...[tools.bwrap, '--args', inputFd('args'), '/bin/sh', '-c', inside, 'sh', ...command.argv],
  ];
  return { argv, env, inputs: [{ path: join(job.stateDir, filterFile) }, { path: argsFile, once: true }] };
}

/** Whether the file still stands for the namespace that the job is in: the number of a process may be another's by now. */
async function isSameNamespace(path: string, other: string): Promise<boolean> {
  const names = await Promise.all([path, other].map((link) => readlink(link).catch(() => undefined)));
  return names[0] !== undefined && names[0] === names[1];
}
