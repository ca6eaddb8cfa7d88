import { mkdir } from 'node:fs/promises';
import type { Clock } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { readBootId } from '../drivers/supervised/process-table.ts';
import { createKeyedLock } from '../leases/keyed-lock.ts';
import { collectImages } from './collect-images.ts';
import { noSpace } from './fetch-blob.ts';
import { hexOf, imageFiles } from './image-files.ts';
import { pinImage, pinnedImages, readImagePin } from './image-folder.ts';
import { type ImageTree, openTree, sweepTrees } from './image-tree.ts';
import { parseImageName } from './parse-image-name.ts';
import { type PullParts, type PullProgress, packedBytes, pullImage } from './pull-image.ts';
import { openRegistry } from './registry/open-registry.ts';
import { type ImageManifest, readManifest } from './registry/read-manifest.ts';
import type { TreeAccess } from './unpack/layer-tree.ts';

/** A pull that takes longer is given up; what it fetched stays. */
const PULL_LIMIT_MS = 3_600_000;
const MAX_ENTRIES = 1_000_000;

export interface ImageStoreOptions {
  /** Folder of the store; made if it is not there. One agent at a time. */
  readonly folder: string;
  /** Folder of the leases' folders: an image that one of them names is never removed (see `pinnedImages`). */
  readonly jobs: string;
  /** Most that the store keeps, in bytes; also the most that one image may have. */
  readonly maxBytes: number;
  readonly maxEntries?: number;
  /** Who the files of images are for. */
  readonly access: TreeAccess;
  /** Whether registries of this machine and of its own network may be asked. */
  readonly allowLocal: boolean;
  readonly clock: Clock;
  /** A connection on which nothing comes for so long is given up. */
  readonly idleMs?: number;
}

export interface PrepareOptions {
  /** The lease's folder for this image. What the name leads to is decided once, and kept there. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: PullProgress) => void;
}

export interface ImageStore {
  readonly folder: string;
  /**
   * Brings an image here, unpacked and whole, unless it is. Callers that want the same one at the same time wait for one
   * pull; it is stopped when none of them waits any more.
   * @throws LatentError IMAGE_NOT_FOUND, IMAGE_INVALID, IMAGE_TOO_LARGE, IMAGE_UNREACHABLE, IMAGE_NO_SPACE, NOT_ALLOWED,
   *   STORE_FAILED, CANCELLED
   */
  prepare(reference: string, options: PrepareOptions): Promise<ImageTree>;
}

interface Pull {
  readonly done: Promise<void>;
  readonly stop: AbortController;
  readonly listeners: Set<(progress: PullProgress) => void>;
  readonly keep: ReadonlySet<string>;
  waiters: number;
}

/** Opens the store, and removes what an agent that was killed left half done. */
export async function openImageStore(options: ImageStoreOptions): Promise<ImageStore> {
  const { clock } = options;
  const files = imageFiles(options.folder);
  for (const folder of [files.root, files.blobs, files.trees]) await mkdir(folder, { recursive: true, mode: 0o700 });
  await sweepTrees(files, await readBootId());
  const pulls = new Map<string, Pull>();
  const blobLock = createKeyedLock<string>();
  const treeLock = createKeyedLock<string>();
  /** Between what is pinned and what is removed: nothing is removed that somebody was just about to use. */
  const gate = createKeyedLock<'gate'>();

  async function collect(maxBytes: number, own: ReadonlySet<string> = new Set()): Promise<number> {
    return gate.run('gate', async () => {
      const pinned = await pinnedImages(options.jobs);
      const keep = new Set([...[...pinned].map(hexOf), ...[...pulls.values()].flatMap((pull) => [...pull.keep])]);
      return collectImages(files, { maxBytes, keep, own });
    });
  }

  function begin(manifest: ImageManifest, from: Pick<PullParts, 'registry' | 'name'>): Pull {
    const stop = new AbortController();
    const deadline = AbortSignal.timeout(PULL_LIMIT_MS);
    const listeners: Pull['listeners'] = new Set();
    const keep = new Set([manifest.digest, ...manifest.layers.map(({ digest }) => digest)].map(hexOf));
    const work = async () => {
      if ((await openTree(files, manifest.digest, clock)) !== undefined) return;
      const packed = packedBytes(manifest);
      const others = await collect(Math.max(options.maxBytes - packed, 0), keep);
      const roomBytes = options.maxBytes - others;
      if (packed > roomBytes && packed <= options.maxBytes) {
        throw noSpace("The operator's room for images is taken up by those of other jobs.");
      }
      const { access, maxBytes, maxEntries = MAX_ENTRIES } = options;
      await pullImage({
        ...{ ...from, manifest, files, blobLock, access, maxBytes, roomBytes, maxEntries, clock },
        signal: AbortSignal.any([stop.signal, deadline]),
        onProgress: (progress) => {
          for (const listener of listeners) listener(progress);
        },
      });
    };
    const done = treeLock.run(manifest.digest, work).catch((thrown: unknown) => {
      if (!deadline.aborted || stop.signal.aborted) throw thrown;
      const text = `The image ${from.name.written} did not arrive within ${PULL_LIMIT_MS / 60_000} minutes.`;
      throw new LatentError('IMAGE_UNREACHABLE', text, { cause: thrown });
    });
    done.catch(() => undefined);
    return { done, stop, listeners, keep, waiters: 0 };
  }

  async function pulled(manifest: ImageManifest, from: Pick<PullParts, 'registry' | 'name'>, wait: PrepareOptions) {
    const { digest } = manifest;
    const known = pulls.get(digest);
    const pull = known ?? begin(manifest, from);
    pulls.set(digest, pull);
    pull.waiters += 1;
    if (wait.onProgress !== undefined) pull.listeners.add(wait.onProgress);
    try {
      await unlessAborted(pull.done, wait.signal);
    } finally {
      pull.waiters -= 1;
      if (wait.onProgress !== undefined) pull.listeners.delete(wait.onProgress);
      if (pull.waiters === 0) {
        if (pulls.get(digest) === pull) pulls.delete(digest);
        pull.stop.abort();
        // Whoever is told that it is given up finds nothing half done.
        await pull.done.catch(() => undefined);
      }
    }
  }

  return {
    folder: options.folder,
    async prepare(reference, wait) {
      if (wait.signal.aborted) throw stopped(wait.signal);
      const pin = await readImagePin(wait.folder);
      const named = parseImageName(reference);
      const name = pin === undefined ? named : { ...named, digest: pin.digest };
      const take = (digest: string) =>
        gate.run('gate', async () => {
          await pinImage(wait.folder, { image: reference, digest });
          return openTree(files, digest, clock);
        });
      const here = name.digest === undefined ? undefined : await openTree(files, name.digest, clock);
      const early = here === undefined ? undefined : await take(here.digest);
      if (early !== undefined) return early;
      const registry = openRegistry(name, {
        allowLocal: options.allowLocal,
        ...(options.idleMs === undefined ? {} : { idleMs: options.idleMs }),
      });
      const manifest = await readManifest(registry, name, wait.signal);
      const found = await take(manifest.digest);
      if (found !== undefined) return found;
      await pulled(manifest, { registry, name }, wait);
      await collect(options.maxBytes);
      const tree = await openTree(files, manifest.digest, clock);
      if (tree === undefined) throw new LatentError('INTERNAL', `The image ${reference} was pulled and is not there.`);
      return tree;
    },
  };
}

async function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = () => reject(stopped(signal));
  signal.addEventListener('abort', stop, { once: true });
  if (signal.aborted) stop();
  try {
    await Promise.race([work, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function stopped(signal: AbortSignal): LatentError {
  return new LatentError('CANCELLED', 'Pulling the image was stopped.', { cause: signal.reason });
}
