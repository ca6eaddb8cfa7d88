import { join } from 'node:path';

/** Where the store of images keeps what. `digest` is `sha256:` and 64 hex digits, checked before it gets here. */
export interface ImageFiles {
  readonly root: string;
  /** What was fetched, by its hash. */
  readonly blobs: string;
  /** Images unpacked, each by the digest of its manifest. */
  readonly trees: string;
}

export function imageFiles(root: string): ImageFiles {
  return { root, blobs: join(root, 'blobs'), trees: join(root, 'trees') };
}

export function blobPath(files: ImageFiles, digest: string): string {
  return join(files.blobs, hexOf(digest));
}

/** A blob of which only the beginning is here. */
export function blobPartPath(files: ImageFiles, digest: string): string {
  return `${blobPath(files, digest)}.part`;
}

export function treePath(files: ImageFiles, digest: string): string {
  return join(files.trees, hexOf(digest));
}

export function hexOf(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1);
}
