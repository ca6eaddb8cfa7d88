import { toLatentError } from '@latent/protocol';
import { type Asked, askedSchema, type Note } from './notes.ts';

/** Answers what this process is asked, one after the other; ends with the process that started it. */
export function serveAsked(first: Note, answer: (asked: Asked) => Promise<Note>): void {
  const tell = (note: Note) => process.send?.(note);
  process.on('message', (message) => {
    void answer(askedSchema.parse(message)).then(tell, (thrown: unknown) =>
      tell({ kind: 'failed', message: toLatentError(thrown).message }),
    );
  });
  process.on('disconnect', () => process.exit());
  tell(first);
}
