import { availableParallelism } from 'node:os';
import { checkFileLength } from './check-file-length.ts';
import { checkLayers } from './check-layers.ts';
import { checkLockfile } from './check-lockfile.ts';
import { checkWords } from './check-words.ts';
import { findStale, generatedPaths } from './gen.ts';
import { type CommandResult, ROOT, runCommand } from './run-command.ts';
import { runForge } from './run-forge.ts';

/** Least number of source files; raise it as the tree grows. */
const SOURCE_FLOOR = 40;

interface Check {
  readonly name: string;
  /** @returns what is wrong, ready to print; empty when nothing is */
  readonly run: () => Promise<readonly string[]>;
}

const checks: readonly Check[] = [
  { name: 'types', run: tool('tsc', '-p', 'tsconfig.json') },
  { name: 'generated files unchanged', run: generatedUnchanged },
  { name: 'promises and switches', run: tool('eslint', '--max-warnings=0', 'packages', 'apps') },
  { name: 'layers', run: () => checkLayers(ROOT, SOURCE_FLOOR) },
  { name: 'dead code', run: tool('knip', '--no-progress', '--no-config-hints') },
  { name: 'format and lint', run: tool('biome', 'ci', '--colors=off', '--error-on-warnings', '.') },
  { name: 'format of contracts', run: contractsFormatted },
  { name: 'file length', run: () => checkFileLength(ROOT, generatedPaths) },
  { name: 'lockfile', run: () => checkLockfile(ROOT) },
  { name: 'words', run: () => checkWords(ROOT) },
];

function tool(name: string, ...args: readonly string[]): Check['run'] {
  return async () => explain(name, await runCommand(name, args, { env: { NO_COLOR: '1', FORCE_COLOR: '0' } }));
}

async function contractsFormatted(): Promise<readonly string[]> {
  return explain('forge fmt', await runForge(['fmt', '--check'], { env: { NO_COLOR: '1' } }));
}

function explain(name: string, { exitCode, stdout, stderr }: CommandResult): readonly string[] {
  return exitCode === 0 ? [] : [`${stdout}${stderr}`.trim() || `${name} ended with ${exitCode} and no word`];
}

async function generatedUnchanged(): Promise<readonly string[]> {
  return [...(await findStale()).keys()].map((path) => `${path}: not what is generated now; run \`npm run gen\``);
}

/** Runs one check and prints its line, with what is wrong below it. @returns whether all is well */
async function runCheck(check: Check): Promise<boolean> {
  const startedMs = performance.now();
  const problems = await check
    .run()
    .catch((error: unknown) => [error instanceof Error ? error.message : String(error)]);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  const lines = problems.flatMap((problem) => problem.split('\n')).map((line) => `    ${line}\n`);
  process.stdout.write(`${problems.length === 0 ? '✓' : '✗'} ${check.name} (${seconds} s)\n${lines.join('')}`);
  return problems.length === 0;
}

const waiting = [...checks];
const failed: string[] = [];
async function work(): Promise<void> {
  for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
    if (!(await runCheck(check))) failed.push(check.name);
  }
}
await Promise.all(Array.from({ length: Math.min(2, availableParallelism()) }, work));

console.log(failed.length === 0 ? `all ${checks.length} checks passed` : `failed: ${failed.join(', ')}`);
process.exitCode = failed.length === 0 ? 0 : 1;
