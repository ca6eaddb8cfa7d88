import { LatentError } from '@latent/protocol';
import type { HelperProcess } from './helper-process.ts';
import type { Measured } from './notes.ts';

/** As docs/guide/book.md starts a book. */
export const BOOK_FLAGS = ['--max-semi-space-size=8'] as const;

/** What a book takes now. */
export async function look(book: HelperProcess): Promise<Measured> {
  const note = await book.ask({ kind: 'measure' });
  if (note.kind !== 'measured') throw new LatentError('INTERNAL', `The book told "${note.kind}".`);
  return note;
}
