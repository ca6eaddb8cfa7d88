import { type BenchProcess, startProcess } from '../harness/start-process.ts';
import { type Asked, type Note, noteSchema } from './notes.ts';

/** A process of this folder. */
export type HelperProcess = BenchProcess<Asked, Note>;

export interface HelperOptions {
  readonly signal: AbortSignal;
  /** Of Node. */
  readonly flags?: readonly string[];
}

/** @throws LatentError INTERNAL if it does not get ready */
export function startHelper(file: string, setup: unknown, options: HelperOptions): Promise<HelperProcess> {
  return startProcess<Asked, Note>({ file: new URL(file, import.meta.url), setup, told: noteSchema, ...options });
}
