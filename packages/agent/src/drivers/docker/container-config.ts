import type { JobSpec } from '../driver.ts';
import { systemPath } from '../supervised/system-path.ts';
import { type DockerFiles, jobLabel, stateDirLabel } from './docker-job.ts';
import type { Engine } from './engine/open-engine.ts';
import type { Rlimits } from './read-rlimits.ts';
import type { ReadyImage } from './ready-image.ts';
import { seccompProfile } from './seccomp-profile.ts';

export const containerWorkdir = '/work';
const scriptAt = '/run/latent/job.sh';
const outputAt = '/run/latent/output';
const toolchainAt = (index: number) => `/opt/toolchains/${index}`;

/** Processes that a container adds to those of the job: its first, which waits for the job. */
export const overhead = 1;

/** Held in memory, so bounded: by this and by half of the job's memory. */
const maxTmpBytes = 1 << 30;
/** Period over which a share of the CPU is dealt out, and the least that the kernel deals out of it. */
const cpuPeriodUs = 100_000;
const minCpuQuotaUs = 1_000;
const maxOpenFiles = 1 << 16;
/** Of a user, not of a job, and more than Podman can give on some machines; `PidsLimit` is what counts. */
const maxUserProcesses = 1 << 15;
const maxHostnameChars = 63;

/**
 * What runs first inside. The job is not the first process of its namespace, for which signals have no effect by default; it
 * runs in the foreground, since a shell makes background commands ignore SIGINT. Fd 9 keeps the pipe open until nothing runs any
 * more. Complaints of this shell itself go nowhere, else it would write `Terminated` and the like into the job's output.
 */
const begin = `exec 9>${outputAt} </dev/null
/bin/sh ${scriptAt} >&9 2>&1 9>&-
exit "$?"`;

export interface ContainerPlan {
  readonly spec: JobSpec;
  readonly engine: Engine;
  readonly image: ReadyImage;
  readonly files: DockerFiles;
  /** `uid:gid` inside. */
  readonly user: string;
  readonly network: string;
  readonly rlimits: Rlimits;
}

/** The body of `POST /containers/create`. Everything that is not named here is as the engine has it by default. */
export function containerConfig(plan: ContainerPlan): Readonly<Record<string, unknown>> {
  const { spec, image } = plan;
  return {
    Image: image.id,
    Entrypoint: ['/bin/sh'],
    Cmd: ['-c', begin],
    Env: Object.entries(containerEnv(spec, image)).map(([name, value]) => `${name}=${value}`),
    User: plan.user,
    WorkingDir: containerWorkdir,
    Hostname: hostname(spec),
    Labels: { [jobLabel]: spec.jobId, [stateDirLabel]: spec.stateDir },
    ...{ AttachStdin: false, AttachStdout: false, AttachStderr: false, OpenStdin: false, Tty: false },
    // The first process takes no notice of an engine that asks it to end, and is not waited for.
    StopTimeout: 1,
    // An image's own check would run beside the job, and count with it.
    Healthcheck: { Test: ['NONE'] },
    HostConfig: hostConfig(plan),
  };
}

function hostConfig({ spec, engine, files, network, rlimits }: ContainerPlan): Readonly<Record<string, unknown>> {
  const { memoryBytes, cpus, processes } = spec.limits;
  const half = Math.floor(memoryBytes / 2);
  const profile = engine.kind === 'podman' ? files.seccomp : JSON.stringify(seccompProfile());
  return {
    NetworkMode: network,
    // On a network the engine gives the name an address itself.
    ...(network === 'none' ? { ExtraHosts: [`${hostname(spec)}:127.0.0.1`] } : {}),
    CapDrop: ['ALL'],
    SecurityOpt: ['no-new-privileges', `seccomp=${profile}`],
    Privileged: false,
    ReadonlyRootfs: true,
    Tmpfs: { '/tmp': `rw,exec,nosuid,nodev,mode=1777,size=${Math.min(maxTmpBytes, half)}` },
    ShmSize: half,
    IpcMode: 'private',
    CgroupnsMode: 'private',
    Memory: memoryBytes,
    // Together with swap: none of that.
    MemorySwap: memoryBytes,
    CpuPeriod: cpuPeriodUs,
    CpuQuota: Math.max(minCpuQuotaUs, Math.round(cpus * cpuPeriodUs)),
    PidsLimit: processes + overhead,
    Ulimits: ulimits(engine, rlimits),
    Mounts: [
      bind(spec.workdir, containerWorkdir, false),
      bind(files.script, scriptAt, true),
      // A named pipe can be written to through a read-only mount.
      bind(files.outputPipe, outputAt, true),
      ...spec.toolchains.map((folder, index) => bind(folder, toolchainAt(index), true)),
    ],
    // Output goes through the pipe; what else the container says is nobody's.
    LogConfig: { Type: 'none', Config: {} },
    RestartPolicy: { Name: '', MaximumRetryCount: 0 },
    AutoRemove: false,
    ...(engine.remapsUsers ? { UsernsMode: 'host' } : {}),
  };
}

/** As long as the kernel takes, and without a hyphen at its end. */
function hostname({ jobId }: JobSpec): string {
  return jobId.slice(0, maxHostnameChars).replace(/-+$/, '') || 'job';
}

function bind(Source: string, Target: string, ReadOnly: boolean) {
  return { Type: 'bind', Source, Target, ReadOnly, BindOptions: { Propagation: 'rprivate' } };
}

/**
 * Not above what the agent itself may have: an engine without CAP_SYS_RESOURCE cannot raise them. Podman would set the number of
 * processes by itself, higher than such an engine can.
 */
function ulimits(engine: Engine, rlimits: Rlimits) {
  const limit = (Name: string, value: number) => ({ Name, Soft: value, Hard: value });
  return [
    limit('nofile', Math.min(maxOpenFiles, rlimits.openFiles)),
    limit('core', 0),
    ...(engine.kind === 'podman' ? [limit('nproc', Math.min(maxUserProcesses, rlimits.processes))] : []),
  ];
}

function containerEnv(spec: JobSpec, image: ReadyImage): Readonly<Record<string, string>> {
  const path = [...spec.toolchains.map((_, index) => `${toolchainAt(index)}/bin`), image.path ?? systemPath].join(':');
  return { PATH: path, HOME: containerWorkdir, TMPDIR: '/tmp', ...spec.env };
}
