/**
 * What an agent needs of whatever runs jobs, in our own words. No engine's types cross this file.
 *
 *   start ──▶ running ──exit──▶ exited ──destroy──▶ gone
 *                │  ▲
 *        agent killed and restarted: recover(handle) finds it running, exited, or gone
 *
 * Rules every driver keeps (see `conformance.ts`):
 * - A running job outlives the agent: `kill -9` of the agent neither ends it nor loses its output or exit code.
 * - `handle` is all that is needed to find the job again; the agent stores it before it tells anybody.
 * - `stop` ends every process of the job, also those that were forked off, and is safe to call twice.
 */
export interface Driver {
  readonly name: DriverName;
  /** Can this driver work on this machine, and how well does it isolate? Never throws; cheap enough to call at start. */
  fingerprint(options: { readonly signal: AbortSignal }): Promise<DriverFingerprint>;
  /**
   * Fetches what a job needs before it can start, such as its image. May take minutes, and may be called again at any time; `start` does what
   * is left of it. @throws LatentError DRIVER_REFUSED, IMAGE_*, STORE_FAILED, CANCELLED
   */
  prepare?(spec: Pick<JobSpec, 'jobId' | 'image' | 'imageDir' | 'stateDir'>, options: PrepareOptions): Promise<void>;
  /** @throws LatentError DRIVER_REFUSED, DRIVER_UNAVAILABLE, DRIVER_FAILED, CANCELLED. On a throw nothing is left running. */
  start(spec: JobSpec, options: { readonly signal: AbortSignal }): Promise<JobHandle>;
  /** What became of a job that an earlier life of the agent started. Never throws for a job that is gone. */
  recover(handle: JobHandle): Promise<JobState>;
  /** Resolves when the job's main process has ended. Can be called any number of times, also after the end. */
  wait(handle: JobHandle, options: { readonly signal: AbortSignal }): Promise<JobExit>;
  /** SIGTERM to the whole job, SIGKILL after `graceMs`. Resolves when nothing of it runs. */
  stop(handle: JobHandle, options: { readonly graceMs: number }): Promise<void>;
  /** Removes what `start` made (not the folders of the spec). After it, `recover` says `gone`. Safe to call twice. */
  destroy(handle: JobHandle): Promise<void>;
  stats(handle: JobHandle): Promise<JobStats>;
  /**
   * Runs a command beside the job, in its surroundings (same files, environment, limits).
   * @throws LatentError MEMBER_NOT_STARTED when the surroundings are gone.
   */
  exec(handle: JobHandle, command: ExecCommand, options: ExecOptions): Promise<JobExit>;
  /** Output from byte `offset` on; with `follow` until the job has ended and all was read. */
  output(handle: JobHandle, options: OutputOptions): AsyncIterable<OutputChunk>;
}

export type DriverName = 'sandbox' | 'docker' | 'process' | 'mock';

/** `none`: the job can do what the agent's user can do. Refused for strangers' jobs unless the operator says otherwise. */
export type Isolation = 'none' | 'namespaces';

export type DriverFingerprint =
  | {
      readonly available: true;
      readonly isolation: Isolation;
      readonly version: string;
      readonly notes: readonly string[];
    }
  | { readonly available: false; readonly reason: string; readonly remedy: string };

export interface JobSpec {
  /** Unique on the machine; file-name safe (`[a-z0-9-]{1,64}`). */
  readonly jobId: string;
  /** Shell script (`/bin/sh`), run in `workdir`. */
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  /** Folder on the machine with the renter's files; the job sees it as its working folder and may write there. */
  readonly workdir: string;
  /** Folder of this job that belongs to the driver: output, exit code, state. Exists, empty, mode 0700. */
  readonly stateDir: string;
  readonly limits: JobLimits;
  /** IP address of this member, for the job to bind and to be reached at by its peers. */
  readonly address: string;
  /** Folders of the machine that the operator lends read-only (for instance a language runtime); their `bin` joins the PATH. */
  readonly toolchains: readonly string[];
  /** OCI reference of the image whose files the job sees as its system. Drivers that run none refuse it: DRIVER_REFUSED. */
  readonly image?: string;
  /** Folder of the lease in which the driver keeps what the steps of a job change of their image; by default one in `stateDir`. */
  readonly imageDir?: string;
  /** The network namespace that the job joins. Without it the job is in the machine's own network. */
  readonly network?: JobNetwork;
}

/** A private network that is up before the job starts; see `network/member-network.ts`. */
export interface JobNetwork {
  /** File that stands for the network namespace, as `nsenter --net=…` takes it. */
  readonly namespacePath: string;
  /** IPv4 address of this member in it, on the device `latent0`. */
  readonly address: string;
  readonly prefixLength: number;
  /** Names for the job's /etc/hosts, its own included. */
  readonly hosts: readonly { readonly name: string; readonly address: string }[];
  /** IPv4 address of a resolver for the job's /etc/resolv.conf. Without it there is no way out of the network, and no names but `hosts`. */
  readonly nameserver?: string;
}

export interface PrepareOptions {
  readonly signal: AbortSignal;
  /** Bytes that have come and that are to come in all. */
  readonly onProgress?: (progress: { readonly doneBytes: number; readonly totalBytes: number }) => void;
}

export interface JobLimits {
  readonly memoryBytes: number;
  /** CPU cores, may be a fraction. */
  readonly cpus: number;
  readonly processes: number;
}

/** Opaque to everybody but the driver that made it; JSON, at most 4 KiB. */
export interface JobHandle {
  readonly driver: DriverName;
  readonly jobId: string;
  readonly state: Readonly<Record<string, string | number>>;
}

export type JobState =
  | { readonly kind: 'running' }
  | { readonly kind: 'exited'; readonly exit: JobExit }
  | { readonly kind: 'gone' };

export interface JobExit {
  /** Exit status; 128 + signal where a signal ended it. -1 when it could not be learnt, `reason` says why. */
  readonly code: number;
  /** Set where the code alone would mislead, e.g. `out of memory`, `machine restarted`. */
  readonly reason?: string;
}

export interface JobStats {
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
  readonly processes: number;
}

export interface ExecCommand {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface ExecOptions {
  readonly signal: AbortSignal;
  readonly stdin: AsyncIterable<Uint8Array>;
  /** Awaited, so that a slow reader slows the command. */
  readonly onOutput: (chunk: { readonly stream: 'stdout' | 'stderr'; readonly bytes: Uint8Array }) => Promise<void>;
}

export interface OutputOptions {
  readonly follow: boolean;
  /** Byte of the combined output to begin at. */
  readonly offset: number;
  readonly signal: AbortSignal;
}

export interface OutputChunk {
  /** Byte of the combined output where this chunk begins. */
  readonly offset: number;
  readonly bytes: Uint8Array;
}
