import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { LatentError } from '@latent/protocol';
import { type Asked, type Note, noteSchema } from './notes.ts';

/** A process of this folder, which does one thing at a time. */
export interface HelperProcess {
  /** What it told at first. */
  readonly ready: Note;
  ask(asked: Asked): Promise<Note>;
  end(): Promise<void>;
}

export interface HelperOptions {
  readonly signal: AbortSignal;
  /** Of Node. */
  readonly flags?: readonly string[];
}

/** @throws LatentError INTERNAL with what the process says, if it does not get ready */
export async function startHelper(file: string, setup: unknown, options: HelperOptions): Promise<HelperProcess> {
  const { signal, flags = [] } = options;
  const child = fork(join(import.meta.dirname, file), [JSON.stringify(setup)], {
    execArgv: ['--expose-gc', ...flags],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  try {
    const ready = await nextNote(child, signal);
    return {
      ready,
      end,
      ask: async (asked) => {
        const told = nextNote(child, signal);
        child.send(asked);
        return told;
      },
    };
  } catch (thrown) {
    await end();
    throw thrown;
  }
}

async function nextNote(child: ChildProcess, signal: AbortSignal): Promise<Note> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  try {
    const [told] = await Promise.race([
      once(child, 'message', { signal: either }),
      once(child, 'exit', { signal: either }).then(([code]) => {
        throw new LatentError('INTERNAL', `A process of the benchmark ended with ${code}.`);
      }),
    ]);
    const note = noteSchema.parse(told);
    if (note.kind === 'failed') throw new LatentError('INTERNAL', note.message);
    return note;
  } finally {
    over.abort();
  }
}
