import { statfs } from 'node:fs/promises';
import type { Clock } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import { readBootId } from '../drivers/supervised/process-table.ts';
import type { KeyedLock } from '../leases/keyed-lock.ts';
import { fetchBlob, noSpace, writeFailure } from './fetch-blob.ts';
import type { ImageFiles } from './image-files.ts';
import { beginTree, dropTreePart, finishTree } from './image-tree.ts';
import type { ImageName } from './parse-image-name.ts';
import type { Registry } from './registry/open-registry.ts';
import { type Descriptor, type ImageManifest, layerCompression, readConfig } from './registry/read-manifest.ts';
import type { TreeAccess } from './unpack/layer-tree.ts';
import { unpackImage } from './unpack/unpack-image.ts';
import type { LayerBudget, LayerFile } from './unpack/unpack-layer.ts';

/** Layers that are fetched at once. */
const PARALLEL = 3;
/** Left to everything else that the agent and the machine write. */
const SPARE_BYTES = 512 * 1024 * 1024;

export interface PullProgress {
  /** Of the layers, as they are fetched: compressed. */
  readonly doneBytes: number;
  readonly totalBytes: number;
}

export interface PullParts {
  readonly registry: Registry;
  readonly name: ImageName;
  readonly manifest: ImageManifest;
  readonly files: ImageFiles;
  /** By digest, as images share layers. */
  readonly blobLock: KeyedLock<string>;
  readonly access: TreeAccess;
  /** Most that an image may have, packed and unpacked. */
  readonly maxBytes: number;
  /** What the images of other jobs leave of it. */
  readonly roomBytes: number;
  readonly maxEntries: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: PullProgress) => void;
}

/**
 * Fetches an image's layers and unpacks them, the lower ones while the upper ones still come. What was fetched stays if it
 * fails, what was unpacked does not.
 * @throws LatentError IMAGE_*, STORE_FAILED, CANCELLED
 */
export async function pullImage(parts: PullParts): Promise<void> {
  const { manifest, files, name } = parts;
  const totalBytes = packedBytes(manifest);
  if (totalBytes > parts.maxBytes) {
    throw new LatentError('IMAGE_TOO_LARGE', `The image ${name.written} is of ${totalBytes} bytes, packed.`, {
      details: { image: name.written, bytes: totalBytes, maxBytes: parts.maxBytes },
      hint: 'Use a smaller image; an operator can allow larger ones by the option imageCacheBytes.',
    });
  }
  const budget = await budgetFor(parts, totalBytes);
  const stop = new AbortController();
  const signal = AbortSignal.any([parts.signal, stop.signal]);
  const layers = fetchLayers({ ...parts, signal }, totalBytes);
  try {
    const env = await readConfig(parts.registry, { name, config: manifest.config }, signal);
    const root = await beginTree(files, manifest.digest);
    const task = { root, access: parts.access, budget };
    const bytes = await unpackImage(task, layers, { image: name.written, signal });
    await finishTree(files, { digest: manifest.digest, env, bytes }, await readBootId());
  } catch (thrown) {
    stop.abort();
    await Promise.allSettled(layers);
    await dropTreePart(files, manifest.digest);
    throw writeFailure(thrown);
  }
}

export function packedBytes({ layers }: ImageManifest): number {
  return distinct(layers).reduce((sum, { size }) => sum + size, 0);
}

async function budgetFor(parts: PullParts, totalBytes: number): Promise<LayerBudget> {
  const { bavail, bsize } = await statfs(parts.files.root);
  const free = bavail * bsize - SPARE_BYTES;
  if (free < totalBytes)
    throw noSpace(`The machine has ${Math.max(free, 0)} bytes left for ${totalBytes} of an image.`);
  const bytes = Math.min(parts.roomBytes, free);
  return { bytes, entries: parts.maxEntries, whenFull: bytes < parts.maxBytes ? 'IMAGE_NO_SPACE' : 'IMAGE_TOO_LARGE' };
}

/** One promise for each layer, in their order. */
function fetchLayers(parts: PullParts, totalBytes: number): readonly Promise<LayerFile>[] {
  const { blobLock, manifest, signal } = parts;
  const done = new Map<string, number>();
  const tell = () => parts.onProgress({ doneBytes: [...done.values()].reduce((sum, n) => sum + n, 0), totalBytes });
  const waiting = distinct(manifest.layers).map((blob) => ({ blob, ...Promise.withResolvers<string>() }));
  const paths = new Map(waiting.map(({ blob, promise }) => [blob.digest, promise]));
  for (const { promise } of waiting) promise.catch(() => undefined);
  const queue = [...waiting];
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const { blob, resolve, reject } = next;
      const onBytes = (bytes: number) => {
        done.set(blob.digest, bytes);
        tell();
      };
      await blobLock
        .run(blob.digest, () => {
          if (signal.aborted) throw new LatentError('CANCELLED', 'Pulling the image was stopped.');
          return fetchBlob(blob, { ...parts, onBytes });
        })
        .then(resolve, reject);
    }
  };
  for (let worker = 0; worker < PARALLEL; worker += 1) void work();
  return manifest.layers.map(({ digest, mediaType }) => {
    const path = paths.get(digest) ?? Promise.reject(new TypeError('a layer that nobody fetches'));
    const layer = path.then((at) => ({ path: at, compression: layerCompression(mediaType) ?? 'none' }));
    // Whoever waits for it learns of a failure; it may fail before anybody does.
    layer.catch(() => undefined);
    return layer;
  });
}

function distinct(layers: readonly Descriptor[]): readonly Descriptor[] {
  return [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
}
