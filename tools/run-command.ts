import { spawn } from 'node:child_process';
import { delimiter, join, resolve } from 'node:path';

/** The repository's root. */
export const ROOT: string = resolve(import.meta.dirname, '..');

export interface CommandResult {
  /** Exit status; 128 where a signal ended it or it could not be started. */
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** Default: the repository's root. */
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Also write what it prints to our own output as it comes. */
  readonly echo?: boolean;
}

/**
 * Runs a tool that npm installed, or any other program on the PATH. Never throws for a tool that fails or is missing.
 * The tools' own folder comes first on the PATH, so that `#!/usr/bin/env node` is the Node that npm brought.
 */
export function runCommand(
  name: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const binaries = join(ROOT, 'node_modules', '.bin');
  const child = spawn(name, args, {
    cwd: options.cwd ?? ROOT,
    env: { ...process.env, ...options.env, PATH: `${binaries}${delimiter}${process.env['PATH'] ?? ''}` },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const collected = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      collected[stream] += text;
      if (options.echo === true) process[stream].write(text);
    });
  }
  return new Promise((done) => {
    child.on('error', (error) =>
      done({ exitCode: 128, ...collected, stderr: `${collected.stderr}${error.message}\n` }),
    );
    child.on('close', (code) => done({ exitCode: code ?? 128, ...collected }));
  });
}
