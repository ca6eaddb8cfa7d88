import { spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { z } from 'zod';
import { ROOT } from './run-command.ts';

const PROOF = 'test/proof/MeteringProof.sol';
const SOURCES = [PROOF, 'src/libraries/Metering.sol'];
const SECONDS_PER_QUERY = 120;

const compilerSchema = z.object({
  compile: z.custom<(input: string, callbacks: object) => string>((value) => typeof value === 'function'),
});
const outputSchema = z.object({
  errors: z.array(z.object({ severity: z.string(), formattedMessage: z.string() })).default([]),
});

export interface Proof {
  /** Theorems: functions whose names begin with `prove_`. */
  readonly theorems: readonly string[];
  /** Checks that the solver found safe: assertions, overflows, divisions. */
  readonly safe: number;
  /** What it found broken, or did not decide. Nothing is proven unless this is empty. */
  readonly open: readonly string[];
}

/**
 * Has solc's SMTChecker turn the theorems of `MeteringProof.sol` into formulas and z3 decide them. The functions have no
 * loops and no state, so that checking each by itself (BMC) leaves nothing out.
 * @param z3 the solver's program
 * @param edit changes a source before it is looked at: for tests that break the code to see a proof fail
 */
export async function proveContracts(
  z3: string,
  edit: (source: string, path: string) => string = (source) => source,
): Promise<Proof> {
  const read = async (path: string) => edit(await readFile(join(ROOT, 'contracts', path), 'utf8'), path);
  const contents = await Promise.all(SOURCES.map(read));
  const sources = Object.fromEntries(SOURCES.map((path, index) => [path, { content: contents[index] }]));
  const modelChecker = {
    ...{ engine: 'bmc', solvers: ['smtlib2'], contracts: { [PROOF]: ['MeteringProof'] } },
    ...{ targets: ['assert', 'overflow', 'underflow', 'divByZero'], showUnproved: true, showProvedSafe: true },
  };
  const input = { language: 'Solidity', sources, settings: { modelChecker, outputSelection: { '*': { '*': [] } } } };
  const solc = compilerSchema.parse(createRequire(import.meta.url)('solc'));
  const output = solc.compile(JSON.stringify(input), { smtSolver: (query: string) => decide(z3, query) });
  const messages = outputSchema.parse(JSON.parse(output)).errors.map((one) => one.formattedMessage);
  const errors = outputSchema.parse(JSON.parse(output)).errors.filter(({ severity }) => severity === 'error');
  const isOpen = (message: string) => /BMC: .* (happens here|might happen here)/.test(message);
  return {
    theorems: [...(contents[0] ?? '').matchAll(/function (prove_\w+)/g)].map(([, name]) => name ?? ''),
    safe: messages.filter((message) => message.includes('check is safe!')).length,
    open: [...errors.map((error) => error.formattedMessage), ...messages.filter(isOpen)],
  };
}

/** One formula; z3 complains where there is no counterexample to print, and ends with 1 for it. */
function decide(z3: string, query: string) {
  const options = ['-smt2', '-in', `-T:${SECONDS_PER_QUERY}`];
  const { stdout, error } = spawnSync(z3, options, { input: query, encoding: 'utf8', maxBuffer: 2 ** 28 });
  return error === undefined ? { contents: stdout } : { error: error.message };
}

/** @returns the solver's program: `LATENT_Z3`, or `z3` of the PATH; undefined if there is none */
export function findSolver(): string | undefined {
  const z3 = process.env['LATENT_Z3'] ?? 'z3';
  return spawnSync(z3, ['--version']).status === 0 ? z3 : undefined;
}

if (import.meta.main) {
  const z3 = findSolver();
  if (z3 === undefined) {
    console.error('There is no z3. Install it (`pip install z3-solver` brings one) or name it in LATENT_Z3.');
    process.exitCode = 1;
  } else {
    const { theorems, safe, open } = await proveContracts(z3);
    for (const message of open) console.error(message);
    console.log(`${theorems.length} theorems, ${safe} checks proven, ${open.length} open`);
    if (open.length > 0 || safe < theorems.length) process.exitCode = 1;
  }
}
