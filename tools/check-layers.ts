import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { listFiles } from './list-files.ts';
import { ROOT, runCommand } from './run-command.ts';

/** Folders whose imports are judged. */
const FOLDERS = ['packages', 'apps', 'e2e', 'examples', 'bench', 'tools'];

const reportSchema = z.object({
  modules: z.array(z.object({ source: z.string(), followable: z.boolean().optional() })),
  summary: z.object({
    violations: z.array(
      z.object({
        from: z.string(),
        to: z.string(),
        rule: z.object({ name: z.string() }),
        comment: z.string().optional(),
        cycle: z.array(z.object({ name: z.string() })).optional(),
      }),
    ),
    ruleSetUsed: z.object({
      forbidden: z.array(z.object({ name: z.string(), comment: z.string() })),
    }),
  }),
});
type Report = z.infer<typeof reportSchema>;

/**
 * Judges every import of ours by `.dependency-cruiser.cjs`.
 *
 * dependency-cruiser sees no modules, and exits 0, with a TypeScript it does not know. So every source file on disk
 * must be among those it saw, and there must be at least `floor` of them.
 * @param root a repository laid out like this one
 * @param floor least number of source files in packages and apps
 * @returns one line or more per violation; empty when the law is kept
 */
export async function checkLayers(root: string, floor: number): Promise<readonly string[]> {
  const sources = await listFiles(root, ['.ts']);
  const folders = FOLDERS.filter((folder) => sources.some((path) => path.startsWith(`${folder}/`)));
  const { stdout, stderr } = await runCommand(
    'depcruise',
    ['--config', join(ROOT, '.dependency-cruiser.cjs'), '--output-type', 'json', ...folders],
    { cwd: root },
  );
  let report: Report;
  try {
    report = reportSchema.parse(JSON.parse(stdout));
  } catch (cause) {
    throw new Error(`dependency-cruiser gave no report: ${stderr.trim() || String(cause)}`, { cause });
  }
  const seen = new Set(report.modules.map((module) => module.source));
  return [...findUnseen(seen, sources, floor), ...violations(report), ...(await checkContracts(root))];
}

/**
 * @param seen paths that were judged
 * @param sources paths that are on disk
 * @returns one line per source file of packages and apps that was not seen, and one when there are fewer than `floor`
 */
export function findUnseen(seen: ReadonlySet<string>, sources: readonly string[], floor: number): readonly string[] {
  const ours = sources.filter((path) => /^(packages|apps)\/[^/]+\/src\//.test(path));
  const missing = ours
    .filter((path) => !seen.has(path))
    .map((path) => `${path}: not seen, so its imports were not judged`);
  if (ours.length >= floor) return missing;
  return [
    ...missing,
    `only ${ours.length} source files in packages and apps, expected at least ${floor}: was everything checked out?`,
  ];
}

function violations(report: Report): readonly string[] {
  const reasons = new Map(report.summary.ruleSetUsed.forbidden.map((rule) => [rule.name, rule.comment]));
  return report.summary.violations.map(({ from, to, rule, cycle }) => {
    const path = cycle === undefined ? to : cycle.map((step) => step.name).join(' → ');
    return `${from} → ${path}\n    ${rule.name}: ${reasons.get(rule.name) ?? ''}`;
  });
}

/** `contracts/src` imports itself and OpenZeppelin. */
async function checkContracts(root: string): Promise<readonly string[]> {
  const sources = (await listFiles(root, ['.sol'])).filter((path) => path.startsWith('contracts/src/'));
  const found = await Promise.all(
    sources.map(async (path) => {
      const text = await readFile(join(root, path), 'utf8');
      const targets = [...text.matchAll(/^\s*import\b[^;]*?["']([^"']+)["']\s*;/gm)].map((match) => match[1] ?? '');
      return targets
        .filter((target) => !/^(\.\.?\/|@openzeppelin\/)/.test(target))
        .map((target) => `${path} → ${target}\n    law: contracts/ may import: OpenZeppelin`);
    }),
  );
  return found.flat();
}
