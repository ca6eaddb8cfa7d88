import { type Hash, join } from './bytes.ts';

/** Values in a chunk, and its bytes. */
export const CHUNK_VALUES = 256;
export const CHUNK_BYTES = 128;

/** Digests of a packed row's chunks, in order. Spec: docs/proof.md §7. */
export function chunkDigests(hash: Hash, packed: Uint8Array): readonly Uint8Array[] {
  return Array.from({ length: packed.length / CHUNK_BYTES }, (_, chunk) =>
    hash(packed.subarray(chunk * CHUNK_BYTES, (chunk + 1) * CHUNK_BYTES)),
  );
}

/** Digest of a state. */
export function stateDigest(hash: Hash, packed: Uint8Array): Uint8Array {
  return hash(join(...chunkDigests(hash, packed)));
}
