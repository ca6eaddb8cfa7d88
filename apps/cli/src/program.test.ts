import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { expect, it } from 'vitest';
import { createProgram } from './program.ts';

/** Every command that a person can name, as words. */
function pathsOf(command: CommandUnknownOpts, path: readonly string[] = []): readonly (readonly string[])[] {
  const below = command.commands.filter((one) => one.name() !== 'meter');
  const own = below.length === 0 ? [path] : [];
  return [...own, ...below.flatMap((one) => pathsOf(one, [...path, one.name()]))];
}

function helpOf(path: readonly string[]): string {
  let help = '';
  let command: CommandUnknownOpts = createProgram();
  for (const name of path) {
    const found = command.commands.find((one) => one.name() === name);
    if (found === undefined) throw new Error(`no command ${path.join(' ')}`);
    command = found;
  }
  command.configureOutput({ writeOut: (text) => (help += text) });
  command.outputHelp();
  return help;
}

it('shows an example of itself in the help of every command', () => {
  const paths = pathsOf(createProgram());
  expect(paths.length).toBeGreaterThanOrEqual(10);
  for (const path of paths) expect(helpOf(path)).toContain(`\n  $ latent ${path.join(' ')}`);
});

it('gives every command --json', () => {
  for (const path of pathsOf(createProgram())) expect(helpOf(path)).toContain('--json');
});

it('lists the exit codes', () => {
  expect(helpOf([])).toMatch(/Exit codes:\n +0 {2}done\n/);
});
