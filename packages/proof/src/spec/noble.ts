import { keccak_256 } from '@noble/hashes/sha3';
import type { Hash } from './bytes.ts';

/** Keccak-256 in plain TypeScript: what the WASM kernel is held against. */
export const nobleHash: Hash = (bytes) => keccak_256(bytes);
