import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { killProcess } from '../network/own-processes.ts';
import { inside } from './namespaces.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const KEPT_CHARACTERS = 4_000_000;

export interface RunOptions {
  /** Added to the environment of the test. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the root of the repository. */
  readonly cwd?: string;
}

export interface Ending {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process at a place of a lab. It is killed with the lab, with whatever it started there. */
export interface LabProcess {
  /** Its own, not that of what brought it there. */
  readonly pid: number;
  /** What it has printed so far, to both; the newest 4 million characters. */
  printed(): string;
  /**
   * The next line on standard output that matches. Each line is seen once, in order: one that does not match is passed over,
   * and the next call goes on after the one that did. Calls wait in turn. Rejects when the process ends without such a line.
   */
  line(pattern: RegExp): Promise<RegExpExecArray>;
  /** Writes a line to its standard input. */
  say(line: string): void;
  signal(name: NodeJS.Signals): void;
  /** Resolves when it has ended and all it printed was read. */
  readonly ended: Promise<Ending>;
  /** Sends SIGTERM, or the signal named, and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<Ending>;
}

/** Starts a program in a namespace. */
export function startProcess(
  namespace: string,
  command: string,
  args: readonly string[],
  { env = {}, cwd = ROOT }: RunOptions,
): LabProcess {
  const title = [command, ...args].join(' ');
  const [program, words] = inside(namespace, command, args);
  const child = spawn(program, words, { cwd, env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} cannot be started`);
  let printed = '';
  const keep = (text: string) => {
    printed = (printed + text).slice(-KEPT_CHARACTERS);
  };
  const lines = readLines(() => new Error(`${title} ended without the line that was waited for:\n${printed}`));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    keep(text);
    lines.take(text);
  });
  child.stderr.setEncoding('utf8').on('data', keep);
  // What is said to a process that has ended is lost.
  child.stdin.on('error', () => undefined);
  let over = false;
  const ended = once(child, 'close').then((): Ending => {
    over = true;
    lines.close();
    return { code: child.exitCode, signal: child.signalCode };
  });
  const signal = (name: NodeJS.Signals) => {
    if (!over) killProcess(pid, name);
  };
  return {
    pid,
    printed: () => printed,
    line: lines.next,
    say: (line) => {
      child.stdin.write(`${line}\n`);
    },
    signal,
    ended,
    end: (name = 'SIGTERM') => {
      signal(name);
      return ended;
    },
  };
}

interface Lines {
  take(text: string): void;
  close(): void;
  next(pattern: RegExp): Promise<RegExpExecArray>;
}

interface Waiting {
  readonly pattern: RegExp;
  readonly found: (match: RegExpExecArray) => void;
  readonly missed: (why: Error) => void;
}

function readLines(missing: () => Error): Lines {
  const lines: string[] = [];
  const waiting: Waiting[] = [];
  let [rest, closed] = ['', false];
  const look = () => {
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      const line = lines.shift();
      if (line === undefined) break;
      const match = new RegExp(first.pattern).exec(line);
      if (match !== null) {
        waiting.shift();
        first.found(match);
      }
    }
    if (closed) for (const { missed } of waiting.splice(0)) missed(missing());
  };
  return {
    take: (text) => {
      const parts = (rest + text).split('\n');
      rest = parts.pop() ?? '';
      lines.push(...parts);
      look();
    },
    close: () => {
      closed = true;
      if (rest !== '') lines.push(rest);
      look();
    },
    next: (pattern) =>
      new Promise((found, missed) => {
        waiting.push({ pattern, found, missed });
        look();
      }),
  };
}
