/**
 * What is wrong with a store:
 * - `busy`: another process held the write lock for too long; the same call may succeed later
 * - `constraint`: a UNIQUE, CHECK, NOT NULL or foreign key of the schema forbids it
 * - `full`: the disk is, or the file may not be written
 * - `corrupt`: not a SQLite file, or a damaged one
 * - `version`: written by a newer version of the program
 * - `row`: a row does not fit its schema
 * - `failed`: anything else: wrong SQL, a missing folder, a closed store
 */
export type StoreErrorKind = 'busy' | 'constraint' | 'full' | 'corrupt' | 'version' | 'row' | 'failed';

/** The one error of a {@link Store}; the cause is SQLite's, the file system's or the schema's. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly kind: StoreErrorKind;
  readonly path: string;

  constructor(kind: StoreErrorKind, path: string, message: string, cause?: unknown) {
    super(`${path}: ${message}`, cause === undefined ? undefined : { cause });
    this.kind = kind;
    this.path = path;
  }
}

/** Primary result codes of SQLite: https://sqlite.org/rescode.html */
const KINDS: Readonly<Record<number, StoreErrorKind>> = {
  5: 'busy',
  6: 'busy',
  8: 'full',
  11: 'corrupt',
  13: 'full',
  19: 'constraint',
  26: 'corrupt',
};

/** Wraps what a store threw; a StoreError stays what it is. */
export function toStoreError(path: string, thrown: unknown): StoreError {
  if (thrown instanceof StoreError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const code = thrown instanceof Error && 'errcode' in thrown ? Number(thrown.errcode) & 0xff : 0;
  return new StoreError(KINDS[code] ?? 'failed', path, message, thrown);
}
