import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { killProcess } from './own-processes.ts';
import { waitUntil } from './wait-until.ts';

const BIN = fileURLToPath(new URL('../../apps/cli/bin/latent.js', import.meta.url));
const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LIMIT_MS = 120_000;

export interface Ended {
  /** Of the signal that ended it, 128 and its number. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** `latent` as a person runs it: the command in a process of its own. */
export interface RunningCommand {
  readonly pid: number;
  /** What it has printed so far, to both. */
  printed(): string;
  /** Resolves when `text` has been printed. */
  says(text: string | RegExp): Promise<void>;
  signal(name: NodeJS.Signals): void;
  /** Its end. No stack trace is ever shown to a person. */
  readonly ended: Promise<Ended>;
}

export interface CommandOptions {
  readonly home: string;
  readonly input?: string;
}

/** Starts `latent` with these arguments in the root of the repository. It is killed if it takes longer than two minutes. */
export function startLatent(argv: readonly string[], { home, input = '' }: CommandOptions): RunningCommand {
  const child = spawn(process.execPath, [BIN, ...argv], {
    cwd: ROOT,
    env: { ...process.env, LATENT_HOME: home, NO_COLOR: '1' },
    stdio: ['pipe', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
    killSignal: 'SIGKILL',
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('latent cannot be started');
  const printed = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      printed[name] += text;
    });
  }
  // A command that reads no input may have ended before it is written.
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  let over = false;
  const ended = once(child, 'close').then(([code]): Ended => {
    over = true;
    const said = `${printed.stdout}\n${printed.stderr}`;
    if (/^ {4}at /m.test(said)) throw new Error(`latent ${argv.join(' ')} showed a stack trace:\n${said}`);
    return { code: typeof code === 'number' ? code : 128, ...printed };
  });
  // Whoever does not wait for the end is not told of it either.
  ended.catch(() => undefined);
  const all = () => `${printed.stdout}\n${printed.stderr}`;
  const isSaid = (text: string | RegExp) => (typeof text === 'string' ? all().includes(text) : text.test(all()));
  return {
    pid,
    printed: all,
    says: async (text) => {
      await waitUntil(`latent ${argv.join(' ')} says ${text}`, () => {
        if (isSaid(text)) return true;
        if (over) throw new Error(`latent ${argv.join(' ')} ended without saying ${text}:\n${all()}`);
        return false;
      });
    },
    signal: (name) => {
      if (!over) killProcess(pid, name);
    },
    ended,
  };
}
