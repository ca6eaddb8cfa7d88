import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { listedCommands } from './gen-cli-reference.ts';
import { ROOT } from './run-command.ts';

describe('listedCommands', () => {
  it('reads names, not what is said of them nor what follows', () => {
    const help = `Usage: x

Options:
  -h, --help    display help

Commands:
  up [options]  start it,
                slowly
  show-all      show
  help [command]

Example:
  $ x up
`;
    expect(listedCommands(help)).toEqual(['up', 'show-all']);
  });

  it('finds none where there are none', () => {
    expect(listedCommands('Usage: x\n\nOptions:\n  -h, --help  display help\n')).toEqual([]);
  });
});

/** The committed page, which `npm run check` holds to what the program prints. */
const page = await readFile(join(ROOT, 'docs/reference/cli.md'), 'utf8');

it('shows that every command has --json and an example of itself', () => {
  const sections = page.split(/^##+ /m).slice(1);
  const leaves = sections.filter((section) => listedCommands(section).length === 0);
  expect(leaves.length).toBeGreaterThan(5);
  for (const section of leaves) {
    const [command = ''] = section.split('\n');
    expect(section).toContain('  --json ');
    expect(section).toContain(`\nExample:\n  $ ${command} `.trimEnd());
  }
});
