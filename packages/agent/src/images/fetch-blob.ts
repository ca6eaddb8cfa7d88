import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rename, rm, stat, utimes } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import type { Clock } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { hasErrno, isMissing } from '../drivers/is-missing.ts';
import { blobPartPath, blobPath, type ImageFiles } from './image-files.ts';
import type { Registry } from './registry/open-registry.ts';
import { failure } from './registry/open-url.ts';
import type { Descriptor } from './registry/read-manifest.ts';

/** Connections in a row that break without having brought a byte. */
const MAX_FRUITLESS = 5;
const FIRST_PAUSE_MS = 250;
/** Pieces of a body that wait to be written, each of at most 64 KiB. */
const MAX_QUEUED = 64;

export interface BlobOptions {
  readonly registry: Registry;
  readonly files: ImageFiles;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Called with the bytes that are here, as they grow. */
  readonly onBytes: (bytes: number) => void;
}

/**
 * Brings a blob here, unless it is, hashed as it comes. What came before a connection broke or the agent was killed is kept
 * and gone on from. A blob is in its place only whole and right.
 * @returns its path
 * @throws LatentError IMAGE_INVALID (other bytes than the digest says, or too many), IMAGE_NO_SPACE, those of `Registry.get`
 */
export async function fetchBlob(blob: Descriptor, options: BlobOptions): Promise<string> {
  const { files, clock, signal } = options;
  const path = blobPath(files, blob.digest);
  if (await isThere(path, blob.size, clock)) {
    options.onBytes(blob.size);
    return path;
  }
  const part = blobPartPath(files, blob.digest);
  for (let fruitless = 0, before = await sizeOf(part); ; ) {
    try {
      await fetchRest(blob, part, options);
      break;
    } catch (thrown) {
      if (!(thrown instanceof LatentError) || thrown.code !== 'IMAGE_UNREACHABLE') throw thrown;
      const now = await sizeOf(part);
      fruitless = now > before ? 0 : fruitless + 1;
      before = now;
      if (fruitless >= MAX_FRUITLESS) throw thrown;
      await clock.sleep(FIRST_PAUSE_MS * 2 ** fruitless, { signal }).catch(() => undefined);
      if (signal.aborted) throw new LatentError('CANCELLED', 'Pulling the image was stopped.');
    }
  }
  await rename(part, path);
  return path;
}

/** A blob that is here counts as used now. */
async function isThere(path: string, size: number, clock: Clock): Promise<boolean> {
  if ((await sizeOf(path)) !== size) return false;
  const now = new Date(clock.nowMs());
  await utimes(path, now, now);
  return true;
}

async function fetchRest(blob: Descriptor, part: string, options: BlobOptions): Promise<void> {
  const { registry, signal } = options;
  let hash = createHash('sha256');
  let have = await hashPart(part, blob.size, hash);
  if (have < blob.size) {
    const path = `blobs/${blob.digest}`;
    const file = await open(part, 'a', 0o600);
    try {
      const answer = await registry.get(path, have === 0 ? {} : { range: `bytes=${have}-` }, signal);
      // At once: what comes before somebody listens is lost if the connection breaks.
      const pieces = piecesOf(answer);
      try {
        // One that does not go on from there begins anew.
        if (have > 0 && !goesOnFrom(answer, have)) {
          hash = createHash('sha256');
          have = 0;
          await file.truncate(0);
        }
        options.onBytes(have);
        await append(file, pieces, { hash, have, blob, url: registry.url(path) }, options);
      } finally {
        answer.destroy();
      }
      await file.datasync();
    } catch (thrown) {
      throw writeFailure(thrown);
    } finally {
      await file.close();
    }
  }
  if (hash.digest('hex') === blob.digest.slice('sha256:'.length)) return;
  await rm(part, { force: true });
  throw badBlob(blob, 'is not what its digest says');
}

async function append(
  file: FileHandle,
  pieces: AsyncIterable<Buffer>,
  at: { readonly hash: Hash; readonly have: number; readonly blob: Descriptor; readonly url: URL },
  options: BlobOptions,
): Promise<void> {
  let { have } = at;
  try {
    for await (const piece of pieces) {
      if (have + piece.length > at.blob.size) throw badBlob(at.blob, `is longer than its ${at.blob.size} bytes`);
      await file.writeFile(piece);
      at.hash.update(piece);
      have += piece.length;
      options.onBytes(have);
    }
  } catch (thrown) {
    if (hasErrno(thrown, 'ENOSPC') || hasErrno(thrown, 'EDQUOT')) throw thrown;
    throw failure(at.url, options.signal, thrown);
  }
  if (have < at.blob.size) throw failure(at.url, options.signal, undefined);
}

/** The bytes of a body, up to where it broke: iterating over the answer itself would drop what was not read by then. */
function piecesOf(answer: IncomingMessage): AsyncIterable<Buffer> {
  const queue: Buffer[] = [];
  let over: { readonly error: unknown } | undefined;
  let wake = () => {};
  answer.on('data', (piece: Buffer) => {
    queue.push(piece);
    if (queue.length >= MAX_QUEUED) answer.pause();
    wake();
  });
  const end = (error: unknown) => {
    over ??= { error };
    wake();
  };
  answer.on('end', () => end(undefined));
  answer.on('error', end);
  answer.on('close', () => end(new Error('the connection was closed')));
  return (async function* () {
    for (;;) {
      const piece = queue.shift();
      if (piece !== undefined) yield piece;
      else if (over !== undefined) {
        if (over.error !== undefined) throw over.error;
        return;
      } else {
        const { promise, resolve } = Promise.withResolvers<void>();
        wake = resolve;
        answer.resume();
        await promise;
      }
    }
  })();
}

function goesOnFrom(answer: IncomingMessage, have: number): boolean {
  return answer.statusCode === 206 && (answer.headers['content-range'] ?? '').startsWith(`bytes ${have}-`);
}

/** @returns how much is there; more than there is to be was of a liar, and is thrown away */
async function hashPart(part: string, size: number, hash: Hash): Promise<number> {
  const have = await sizeOf(part);
  if (have === 0) return 0;
  if (have > size) {
    await rm(part, { force: true });
    return 0;
  }
  for await (const piece of createReadStream(part)) hash.update(piece);
  return have;
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

/** A full disk by its own code. */
export function writeFailure(thrown: unknown): unknown {
  if (!hasErrno(thrown, 'ENOSPC') && !hasErrno(thrown, 'EDQUOT')) return thrown;
  return noSpace("The disk of the machine is full, so the image can't be stored.", thrown);
}

export function noSpace(text: string, cause?: unknown): LatentError {
  return new LatentError('IMAGE_NO_SPACE', text, {
    hint: 'Rent another machine; its operator has to free disk space.',
    ...(cause === undefined ? {} : { cause }),
  });
}

function badBlob(blob: Descriptor, reason: string): LatentError {
  return new LatentError('IMAGE_INVALID', `A part of the image ${reason}: ${blob.digest}.`, {
    details: { digest: blob.digest },
    hint: 'The registry serves a damaged image: publish it anew, or use another one.',
  });
}
