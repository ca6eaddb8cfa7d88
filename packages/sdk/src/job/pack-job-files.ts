import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { LatentError } from '@latent/protocol';
import type { FilledJob } from './fill-envs.ts';
import type { FileMount } from './job.ts';
import type { FileSource } from './list-files.ts';
import { mountDestination } from './mount-destination.ts';
import { type PackedFiles, type PackOptions, packFiles } from './pack-files.ts';

export interface JobFilesOptions extends PackOptions {
  /** Absolute; the folder of the job file, which relative paths are relative to. */
  readonly baseFolder: string;
  /** Absolute; what `~` is on the renter's own machine. */
  readonly homeFolder: string;
}

/**
 * Packs `workdir` and `file_mounts` into one archive whose root is the job's working folder and HOME. Nothing that the
 * file names is dropped silently: what is missing, or cannot be sent, is refused.
 *
 * @throws LatentError JOB_FILE_INVALID, JOB_FILES_TOO_LARGE, STORE_FAILED, CANCELLED.
 */
export async function packJobFiles(job: FilledJob, options: JobFilesOptions): Promise<PackedFiles> {
  const workdir = job.workdir === null ? [] : [await workdirSource(job, job.workdir, options)];
  const mounts: FileSource[] = [];
  for (const mount of job.fileMounts) mounts.push(await mountSource(job, mount, options));
  const packed = await packFiles([...workdir, ...mounts], options);
  const [first] = packed.leftOut;
  if (first !== undefined) {
    throw new LatentError('JOB_FILE_INVALID', `${first.path} ${first.reason}, so it cannot be sent.`, {
      hint: 'Name it in .skyignore, or put a copy in its place.',
      details: { paths: packed.leftOut.slice(0, 20).map(({ path }) => path) },
    });
  }
  return packed;
}

async function workdirSource(job: FilledJob, workdir: string, options: JobFilesOptions): Promise<FileSource> {
  const root = localPath(workdir, options);
  const isFolder = await stat(root).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
  if (isFolder) return { root, from: '', at: '', ignoreRules: true };
  throw new LatentError('JOB_FILE_INVALID', `${job.fileName}: workdir: there is no folder ${root}.`, {
    hint: 'The workdir is relative to the folder of the job file.',
    details: { file: job.fileName, field: 'workdir', path: root },
  });
}

async function mountSource(job: FilledJob, mount: FileMount, options: JobFilesOptions): Promise<FileSource> {
  const path = localPath(mount.source, options);
  const stats = await stat(path).catch((cause: unknown) => {
    const place = `${job.fileName}:${mount.line}:${mount.column}`;
    throw new LatentError('JOB_FILE_INVALID', `${place}: file_mounts: there is no file or folder ${path}.`, {
      cause,
      hint: 'Sources of file_mounts are relative to the folder of the job file.',
      details: { file: job.fileName, line: mount.line, column: mount.column, field: 'file_mounts', path },
    });
  });
  const destination = mountDestination(mount.destination) ?? '';
  if (stats.isDirectory()) return { root: path, from: '', at: destination.replace(/\/$/, ''), ignoreRules: true };
  const at = destination === '' || destination.endsWith('/') ? destination + basename(path) : destination;
  const file = await realpath(path); // what the renter names is followed, what lies inside of a folder is not
  return { root: dirname(file), from: basename(file), at, ignoreRules: false };
}

function localPath(path: string, options: JobFilesOptions): string {
  if (path === '~' || path.startsWith('~/')) return join(options.homeFolder, path.slice(1));
  return isAbsolute(path) ? path : resolve(options.baseFolder, path);
}
