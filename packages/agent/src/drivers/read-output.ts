import { type FileHandle, open } from 'node:fs/promises';
import type { Clock } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { cancelled } from './cancelled.ts';
import type { JobState, OutputChunk, OutputOptions } from './driver.ts';
import { watchFolder } from './folder-changes.ts';
import { isMissing } from './is-missing.ts';

const chunkBytes = 64 * 1024;

export interface OutputSource {
  readonly jobId: string;
  /** Folder of the file, watched for changes. */
  readonly folder: string;
  readonly file: string;
  state(): Promise<JobState>;
}

/**
 * @throws LatentError MEMBER_NOT_STARTED where there is no output (any more), CANCELLED, DRIVER_REFUSED for an offset that
 * is no count of bytes.
 */
export async function* readOutput(
  source: OutputSource,
  options: OutputOptions,
  clock: Clock,
): AsyncGenerator<OutputChunk> {
  if (!Number.isSafeInteger(options.offset) || options.offset < 0) {
    throw new LatentError('DRIVER_REFUSED', `An output cannot be read from byte ${options.offset}.`);
  }
  const file = await openOutput(source);
  const changes = watchFolder(source.folder, { clock, signal: options.signal });
  try {
    let { offset } = options;
    for (;;) {
      const over = !options.follow || (await source.state()).kind !== 'running';
      for (;;) {
        options.signal.throwIfAborted();
        const { bytesRead, buffer } = await file.read(Buffer.alloc(chunkBytes), 0, chunkBytes, offset);
        if (bytesRead === 0) break;
        yield { offset, bytes: buffer.subarray(0, bytesRead) };
        offset += bytesRead;
      }
      if (over) return;
      await changes.next();
    }
  } catch (error) {
    throw options.signal.aborted ? cancelled(options.signal) : error;
  } finally {
    changes.close();
    await file.close();
  }
}

async function openOutput(source: OutputSource): Promise<FileHandle> {
  try {
    return await open(source.file, 'r');
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new LatentError('MEMBER_NOT_STARTED', `The job ${source.jobId} has no output.`, { cause: error });
  }
}
