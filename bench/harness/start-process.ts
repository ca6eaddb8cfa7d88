import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { LatentError, toLatentError } from '@latent/protocol';
import { z } from 'zod';

/** A process of a benchmark, which is asked one thing at a time. */
export interface BenchProcess<Asked, Told> {
  readonly pid: number;
  /** What it told at first. */
  readonly ready: Told;
  /** @throws LatentError INTERNAL when it fails, or ends instead of an answer */
  ask(asked: Asked): Promise<Told>;
  /** Ends it, whatever it does. */
  end(): Promise<void>;
}

const replySchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('told'), told: z.unknown() }),
  z.object({ kind: z.literal('failed'), message: z.string() }),
]);
type Reply = z.infer<typeof replySchema>;

export interface StartProcessOptions<Told> {
  /** The program: a file that calls {@link answerAsked}. */
  readonly file: URL;
  /** Plain JSON. */
  readonly setup: unknown;
  /** What it tells. */
  readonly told: z.ZodType<Told>;
  /** Of Node, beside those that every process of a benchmark gets. */
  readonly flags?: readonly string[];
  /** The beginning of a command that takes the program elsewhere, and becomes it, as `nsenter --net=FILE` does. */
  readonly within?: readonly string[];
  readonly signal: AbortSignal;
}

/** @throws LatentError INTERNAL when the process does not get ready */
export async function startProcess<Asked extends object, Told>(
  options: StartProcessOptions<Told>,
): Promise<BenchProcess<Asked, Told>> {
  const { file, setup, told, flags = [], within = [], signal } = options;
  const program = [process.execPath, '--expose-gc', ...flags, fileURLToPath(file), JSON.stringify(setup)];
  const [command = '', ...args] = [...within, ...program];
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  try {
    return {
      pid: child.pid ?? 0,
      ready: await nextTold(child, told, signal),
      ask: async (asked) => {
        if (!child.connected) throw new LatentError('INTERNAL', `${options.file.pathname} has ended.`);
        const answered = nextTold(child, told, signal);
        child.send(asked);
        return await answered;
      },
      end,
    };
  } catch (thrown) {
    await end();
    throw thrown;
  }
}

async function nextTold<Told>(child: ChildProcess, schema: z.ZodType<Told>, signal: AbortSignal): Promise<Told> {
  const over = new AbortController();
  const either = AbortSignal.any([signal, over.signal]);
  try {
    const [message] = await Promise.race([
      once(child, 'message', { signal: either }),
      once(child, 'exit', { signal: either }).then(([code]) => {
        throw new LatentError('INTERNAL', `A process of the benchmark ended with ${code}.`);
      }),
    ]);
    const reply = replySchema.parse(message);
    if (reply.kind === 'failed') throw new LatentError('INTERNAL', reply.message);
    return schema.parse(reply.told);
  } finally {
    over.abort();
  }
}

/** The other side: what the process was started with. */
export function readSetup<Setup>(schema: z.ZodType<Setup>): Setup {
  return schema.parse(JSON.parse(process.argv[2] ?? ''));
}

/** The other side: says that it is ready, answers what it is asked, and ends with the process that started it. */
export function answerAsked<Asked, Told>(
  schema: z.ZodType<Asked>,
  ready: Told,
  answer: (asked: Asked) => Promise<Told>,
): void {
  const reply = (message: Reply) => process.send?.(message);
  process.on('message', (message) => {
    void answer(schema.parse(message)).then(
      (told) => reply({ kind: 'told', told }),
      (thrown: unknown) => {
        const { code, message: text } = toLatentError(thrown);
        reply({ kind: 'failed', message: `${code}: ${text}` });
      },
    );
  });
  process.on('disconnect', () => process.exit());
  reply({ kind: 'told', told: ready });
}
