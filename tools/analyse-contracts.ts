import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { ROOT, runCommand } from './run-command.ts';

const ANSWERS = 'contracts/analysis.md';
const CONTRACTS = ['LeaseEscrow', 'LeaseExtension', 'LeaseDigests', 'Operators'];
/** These speak of how code looks. */
const STYLE = new Set(['naming-convention', 'assembly', 'solc-version', 'pragma', 'too-many-digits']);

const reportSchema = z.object({
  success: z.boolean(),
  results: z.object({
    detectors: z
      .array(
        z.object({
          check: z.string(),
          impact: z.string(),
          description: z.string(),
          elements: z.array(z.object({ name: z.string() })),
        }),
      )
      .default([]),
  }),
});

/** What slither says of the contracts: its check and the first thing it names, both of which an answer has to name. */
export interface Finding {
  readonly check: string;
  readonly impact: string;
  readonly name: string;
  readonly description: string;
}

/** @param slither its program, for instance that of a virtual environment */
async function analyseContracts(slither: string): Promise<readonly Finding[]> {
  const folder = await mkdtemp(join(tmpdir(), 'latent-analysis-'));
  try {
    await cp(join(ROOT, 'contracts', 'src'), join(folder, 'src'), { recursive: true });
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const imports = CONTRACTS.map((name) => `import {${name}} from "./src/${name}.sol";\n`).join('');
    await writeFile(join(folder, 'All.sol'), `pragma solidity ^0.8.28;\n${imports}`);
    const solc = join(ROOT, 'contracts', 'tools', 'solc-combined.mjs');
    const compiler = ['All.sol', '--compile-force-framework', 'solc', '--solc', solc];
    const output = ['--filter-paths', '@openzeppelin', '--json', 'report.json', '--fail-none'];
    const { exitCode, stderr } = await runCommand(slither, [...compiler, ...output], { cwd: folder });
    if (exitCode !== 0) throw new Error(`${slither} ended with ${exitCode}: ${stderr.slice(-2_000)}`);
    const report = reportSchema.parse(JSON.parse(await readFile(join(folder, 'report.json'), 'utf8')));
    if (!report.success) throw new Error(`${slither} could not read the contracts: ${stderr.slice(-2_000)}`);
    return report.results.detectors
      .filter(({ check }) => !STYLE.has(check))
      .map(({ check, impact, description, elements }) => {
        return { check, impact, description, name: elements[0]?.name ?? '' };
      });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The findings to which no line of the answers names both the check and the thing. */
export function unanswered(findings: readonly Finding[], answers: string): readonly Finding[] {
  const lines = answers.split('\n');
  return findings.filter(
    ({ check, name }) => !lines.some((line) => line.includes(`\`${check}\``) && line.includes(`\`${name}\``)),
  );
}

if (import.meta.main) {
  const findings = await analyseContracts(process.env['LATENT_SLITHER'] ?? 'slither');
  const open = unanswered(findings, await readFile(join(ROOT, ANSWERS), 'utf8'));
  for (const { impact, check, description } of open) console.error(`${impact} ${check}: ${description}`);
  console.log(`${findings.length} findings, ${open.length} without an answer in ${ANSWERS}`);
  if (open.length > 0) process.exitCode = 1;
}
