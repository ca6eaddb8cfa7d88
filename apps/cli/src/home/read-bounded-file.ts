import { open } from 'node:fs/promises';
import { LatentError } from '@latent/protocol';

/** A file's text. @throws LatentError CONFIG_INVALID when it cannot be read, or is longer than anything of its kind */
export async function readBoundedFile(path: string, mostBytes: number, what: string): Promise<string> {
  try {
    const file = await open(path);
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(mostBytes + 1), 0, mostBytes + 1, 0);
      if (bytesRead > mostBytes) throw new RangeError(`longer than ${mostBytes} bytes`);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (cause) {
    const why = cause instanceof RangeError ? ` It is ${cause.message}.` : '';
    throw new LatentError('CONFIG_INVALID', `${path} cannot be read.${why}`, {
      hint: `Give the path of ${what}.`,
      cause,
    });
  }
}
