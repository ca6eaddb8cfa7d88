import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { listFiles } from './list-files.ts';
import { listMutants, type Mutant } from './mutants/list-mutants.ts';
import { ROOT } from './run-command.ts';
import { runForge } from './run-forge.ts';

const REPORT = join(ROOT, 'contracts', 'mutants.json');
/** What another optimiser decides, and not the code: gas, and size. */
const TESTS = ['test', '--fail-fast', '--nmc', 'GasTest', '--nmt', 'test_fits_the_size'];

const resultSchema = z.object({
  id: z.string(),
  at: z.string(),
  rule: z.string(),
  before: z.string(),
  after: z.string(),
  outcome: z.enum(['killed', 'does not compile', 'survived']),
  by: z.string().optional(),
  /** Why a survivor changes nothing that matters. Written by hand; kept from one run to the next. */
  argument: z.string().optional(),
});
type Result = z.infer<typeof resultSchema>;
const reportSchema = z.object({ listed: z.number(), ran: z.number(), mutants: z.array(resultSchema) });

/** All sources of the contracts that have code, by path below `contracts/`. */
async function contractSources(): Promise<Map<string, string>> {
  const files = (await listFiles(ROOT, ['.sol'])).filter((path) =>
    /^contracts\/src\/(?!interfaces\/).*\.sol$/.test(path),
  );
  const read = async (path: string) =>
    [path.slice('contracts/'.length), await readFile(join(ROOT, path), 'utf8')] as const;
  return new Map(await Promise.all(files.map(read)));
}

/** A folder of its own with a copy of the contracts, so that nothing here is touched. */
async function workplace(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'latent-mutants-'));
  for (const name of ['src', 'test', 'tools', 'snapshots', 'foundry.toml']) {
    await cp(join(ROOT, 'contracts', name), join(folder, 'contracts', name), { recursive: true });
  }
  for (const name of ['node_modules', 'packages']) await symlink(join(ROOT, name), join(folder, name));
  return join(folder, 'contracts');
}

async function testIn(
  folder: string,
): Promise<{ readonly passed: boolean; readonly failed: string | undefined; readonly compiled: boolean }> {
  const env = { FOUNDRY_PROFILE: 'mutants' };
  const { exitCode, stdout, stderr } = await runForge(TESTS, { env, cwd: folder });
  const [, failed] = /^\[FAIL[^\n]*\] (\w+)\(/m.exec(stdout) ?? [];
  const compiled = !`${stdout}${stderr}`.includes('Compiler run failed') && !stderr.includes('Compiler error');
  return { passed: exitCode === 0, failed: failed ?? (exitCode === 0 ? undefined : 'the run'), compiled };
}

async function tryMutant(folder: string, mutant: Mutant, source: string): Promise<Result> {
  const bytes = Buffer.from(source);
  const changed = Buffer.concat([
    bytes.subarray(0, mutant.start),
    Buffer.from(mutant.after),
    bytes.subarray(mutant.end),
  ]);
  const path = join(folder, mutant.path);
  await writeFile(path, changed);
  const { passed, failed, compiled } = await testIn(folder);
  await writeFile(path, bytes);
  const { id, rule, before, after } = mutant;
  const facts = { id, at: `${mutant.path}:${mutant.line}`, rule, before, after };
  if (passed) return { ...facts, outcome: 'survived' };
  return compiled ? { ...facts, outcome: 'killed', by: failed } : { ...facts, outcome: 'does not compile' };
}

async function readReport(): Promise<Result[]> {
  try {
    return reportSchema.parse(JSON.parse(await readFile(REPORT, 'utf8'))).mutants;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      list: { type: 'boolean', default: false },
      sample: { type: 'string' },
      minutes: { type: 'string', default: '100000' },
      only: { type: 'string', default: '' },
    },
  });
  const sources = await contractSources();
  const all = listMutants(sources);
  if (values.list) return console.log(all.map((one) => `${one.path}:${one.line} ${one.rule}: ${one.after}`).join('\n'));
  const earlier = new Map((await readReport()).map((result) => [result.id, result]));
  // In the order of their ids, which are hashes: the first so many are a sample that nobody chose.
  const chosen = all
    .filter(({ path }) => path.includes(values.only))
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .slice(0, values.sample === undefined ? undefined : Number(values.sample));
  const folder = await workplace();
  const until = performance.now() + Number(values.minutes) * 60_000;
  const results = new Map(
    all.flatMap(({ id }) => {
      const known = earlier.get(id);
      return known === undefined ? [] : [[id, known] as const];
    }),
  );
  if (!(await testIn(folder)).passed) throw new Error('the tests fail without any mutant');
  for (const mutant of chosen) {
    if (performance.now() > until) break;
    const result = await tryMutant(folder, mutant, sources.get(mutant.path) ?? '');
    const argument = earlier.get(mutant.id)?.argument;
    results.set(mutant.id, argument === undefined || result.outcome !== 'survived' ? result : { ...result, argument });
    console.log(
      `${result.outcome} ${result.at} ${result.rule}: ${result.before} -> ${result.after}${result.by === undefined ? '' : ` (${result.by})`}`,
    );
    await writeReport(all, results);
  }
  await rm(join(folder, '..'), { recursive: true });
  const open = [...results.values()].filter(
    ({ outcome, argument }) => outcome === 'survived' && argument === undefined,
  );
  console.log(`${results.size} of ${all.length} mutants were run; ${open.length} survived without an argument`);
  if (open.length > 0) process.exitCode = 1;
}

async function writeReport(all: readonly Mutant[], results: ReadonlyMap<string, Result>): Promise<void> {
  const mutants = all.flatMap(({ id }) => results.get(id) ?? []);
  const report = { listed: all.length, ran: mutants.length, mutants };
  await writeFile(REPORT, `${JSON.stringify(report, undefined, 1)}\n`);
}

if (import.meta.main) await main();
