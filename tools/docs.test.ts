import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pagePolicy } from '../e2e/browser/page-policy.ts';
import { listFiles } from './list-files.ts';
import { ROOT } from './run-command.ts';

const read = (path: string) => readFile(join(ROOT, path), 'utf8');
const paths = await listFiles(ROOT, ['.md']);
const documents = await Promise.all(paths.map(async (path) => ({ path, text: await read(path) })));

/** Text of `latent … --help` by command, from the generated page that `npm run check` holds to the program. */
const help = new Map(
  (await read('docs/reference/cli.md'))
    .split(/^##+ latent ?/m)
    .slice(1)
    .map((section) => [section.split('\n', 1)[0] ?? '', section]),
);

interface Finding {
  readonly at: string;
  readonly found: string;
}

/** Every match of a pattern's first group in all documents. */
function findAll(pattern: RegExp): Finding[] {
  return documents.flatMap(({ path, text }) =>
    [...text.matchAll(pattern)].map((match) => ({ at: path, found: match[1] ?? '' })),
  );
}

describe('the documents', () => {
  it('link to files that exist', () => {
    const links = findAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g).filter(({ found }) => !/^[a-z]+:/.test(found));
    expect(links.length).toBeGreaterThan(10);
    expect(links.filter(({ at, found }) => !existsSync(join(ROOT, dirname(at), found)))).toEqual([]);
  });

  it('name files and folders that exist', () => {
    const named = findAll(/`((?:apps|bench|contracts|docs|e2e|examples|packages|tools)\/[\w./-]*)`/g);
    expect(named.length).toBeGreaterThan(50);
    expect(named.filter(({ found }) => !existsSync(join(ROOT, found)))).toEqual([]);
  });

  it('give each word of the glossary a file that exists', async () => {
    const rows = (await read('GLOSSARY.md')).split('\n').filter((line) => line.split(' | ').length === 4);
    const places = rows.flatMap((row) => [...(/`([\w./-]+\.\w+)` \|$/.exec(row)?.slice(1) ?? [])]);
    expect(places.length).toBeGreaterThan(40);
    const isThere = (place: string) => [ROOT, join(ROOT, 'packages')].some((base) => existsSync(join(base, place)));
    expect(places.filter((place) => !isThere(place))).toEqual([]);
  });

  it('show commands and options that exist', () => {
    const shown = findAll(/(?:^ {4}|`)(?:npx )?latent ((?:[a-z]+\b)[^`\n#]*)/gm);
    expect(shown.length).toBeGreaterThan(20);
    const wrong = shown.filter(({ found }) => {
      const words = found.trim().split(/\s+/);
      const command = [words.slice(0, 2).join(' '), words[0] ?? ''].find((name) => help.has(name));
      if (command === undefined) return words[0] !== 'meter';
      const [own = ''] = found.split(' -- ');
      return (own.match(/(?<=\s)--?[a-z][a-z-]*/g) ?? []).some((flag) => !help.get(command)?.includes(flag));
    });
    expect(wrong).toEqual([]);
  });

  it('name scripts of npm that exist', async () => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(await read('package.json')));
    const named = findAll(/npm (?:run )?(start|test|(?<=run )[a-z:]+)/g);
    expect(named.length).toBeGreaterThan(5);
    expect(named.filter(({ found }) => !(found in scripts))).toEqual([]);
  });
});

it('ARCHITECTURE.md has every rule of the import law, word for word', async () => {
  const rule = z.object({ comment: z.string() });
  const config: unknown = createRequire(import.meta.url)(join(ROOT, '.dependency-cruiser.cjs'));
  const { forbidden } = z.object({ forbidden: z.array(rule).min(10) }).parse(config);
  const written = (await read('ARCHITECTURE.md')).split('\n');
  expect(forbidden.map(({ comment }) => `| ${comment} |`).filter((row) => !written.includes(row))).toEqual([]);
});

it('docs/guide/browser.md shows the code and the policy that the test in a browser runs', async () => {
  const guide = await read('docs/guide/browser.md');
  expect(guide).toContain(`\`\`\`ts\n${await read('e2e/browser/hold-device.ts')}\`\`\`\n`);
  expect(guide).toContain(`    Content-Security-Policy: ${pagePolicy(['https://book.example'])}\n`);
});
