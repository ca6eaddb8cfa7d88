import type { DriverFingerprint, DriverName, ExecCommand, JobSpec } from '../driver.ts';
import type { ProcessInfo } from './process-table.ts';
import type { SupervisedJob } from './supervised-job.ts';
import type { SupervisorOptions } from './supervisor-script.ts';

/** A command line, and what it finds open: `inputs[0]` at fd 4, `inputs[1]` at fd 5 and so on. */
export interface EnclosedCommand {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly inputs: readonly CommandInput[];
}

/** A file to open for reading; `once`: it is of no use to anybody else, and removed once it is open. */
export interface CommandInput {
  readonly path: string;
  readonly once?: true;
}

/** What tells one supervised driver from another: what is put around the job. */
export interface Enclosure {
  readonly driver: DriverName;
  /** Processes that the enclosure adds to those of the job inside its cgroup. */
  readonly overhead: number;
  fingerprint(options: { readonly signal: AbortSignal }): Promise<DriverFingerprint>;
  leftovers(limited: boolean): SupervisorOptions['leftovers'];
  /**
   * Writes what the job needs into its state folder. The command it returns reports `started` on fd 3 right before the
   * renter's script takes over, then closes that.
   * @param limited whether a cgroup keeps the limits.
   */
  enclose(
    spec: JobSpec,
    options: { readonly limited: boolean; readonly signal: AbortSignal },
  ): Promise<EnclosedCommand>;
  /** Processes of the job that can be asked to end. */
  members(job: SupervisedJob): Promise<readonly ProcessInfo[]>;
  /** Those, and what keeps them. */
  everything(job: SupervisedJob): Promise<readonly ProcessInfo[]>;
  /**
   * The command, in the surroundings of the running job.
   * @throws LatentError MEMBER_NOT_STARTED
   */
  enter(job: SupervisedJob, command: ExecCommand): Promise<EnclosedCommand>;
}
