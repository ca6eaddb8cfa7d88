import { LatentError } from '@latent/protocol';
import type { JobFile } from './job.ts';
import { reservedVariables } from './job-environment.ts';
import { isRemoteSource, mountDestination } from './mount-destination.ts';

/** A job whose variables all have values. */
export interface FilledJob extends JobFile {
  readonly envs: Readonly<Record<string, string>>;
}

/**
 * Gives a job the caller's variables, which go before those of the file, and fills `$NAME` and `${NAME}` in `workdir`
 * and `file_mounts` as SkyPilot does. A name that the job does not have stays as it is written.
 *
 * @throws LatentError JOB_FILE_INVALID when a variable that the file leaves to the caller is not given;
 *   JOB_FIELD_UNSUPPORTED when a filled path is one that a job file may not have.
 */
export function fillEnvs(job: JobFile, given: Readonly<Record<string, string>>): FilledJob {
  const reserved = Object.keys(given).find((name) => reservedVariables.has(name));
  if (reserved !== undefined) {
    throw new LatentError('JOB_FILE_INVALID', `Latent sets the variable ${reserved} itself.`, {
      details: { name: reserved },
    });
  }
  const all: Record<string, string | null> = { ...job.envs, ...given };
  const missing = Object.keys(all).filter((name) => all[name] === null);
  if (missing.length > 0) {
    throw new LatentError('JOB_FILE_INVALID', `${job.fileName} leaves ${missing.join(', ')} to the caller.`, {
      hint: `Give ${missing.length === 1 ? 'it' : 'each'} a value, e.g. --env ${missing[0]}=…`,
      details: { file: job.fileName, missing },
    });
  }
  const envs = Object.fromEntries(Object.entries(all).map(([name, value]) => [name, value ?? '']));
  const fill = (text: string): string =>
    text.replace(/\$(?:\{(\w+)\}|(\w+))/g, (written, braced?: string, bare?: string) => {
      const name = braced ?? bare ?? '';
      return Object.hasOwn(envs, name) ? (envs[name] ?? '') : written;
    });
  const workdir = job.workdir === null ? null : fill(job.workdir);
  if (workdir !== null && (workdir === '' || isRemoteSource(workdir))) {
    throw new LatentError('JOB_FIELD_UNSUPPORTED', `${job.fileName}: workdir: ${workdir} is no local folder.`, {
      hint: 'Name a local folder.',
      details: { file: job.fileName, field: 'workdir' },
    });
  }
  const fileMounts = job.fileMounts.map((mount) => {
    const filled = { ...mount, source: fill(mount.source), destination: fill(mount.destination) };
    if (filled.source === '' || isRemoteSource(filled.source) || mountDestination(filled.destination) === undefined) {
      throw new LatentError(
        'JOB_FIELD_UNSUPPORTED',
        `${job.fileName}:${mount.line}:${mount.column}: file_mounts: ${filled.destination}: ${filled.source} is not supported.`,
        {
          hint: "Mount a local file or folder at a place under the job's home.",
          details: { file: job.fileName, line: mount.line, column: mount.column, field: 'file_mounts' },
        },
      );
    }
    return filled;
  });
  return { ...job, envs, workdir, fileMounts };
}
