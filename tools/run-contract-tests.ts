import { runForge } from './run-forge.ts';
import type { Skip, Tally } from './tally.ts';

/** Runs forge's tests with its output shown. Gas snapshots are compared, not rewritten. */
export async function runContractTests(): Promise<Tally> {
  const { exitCode, stdout } = await runForge(['test', '--color', 'never'], {
    echo: true,
    env: { FORGE_SNAPSHOT_CHECK: 'true' },
  });
  return readForgeTally(stdout, exitCode);
}

/**
 * Counts from what forge printed, suite by suite: the last line with the sums is missing when a gas snapshot differs.
 * An exit status that the counts do not explain (it did not compile, a snapshot differs) is one failure more, so that
 * nothing that went wrong can add up to zero.
 */
export function readForgeTally(output: string, exitCode: number): Tally {
  const suites = [...output.matchAll(/^Suite result: .*?(\d+) passed; (\d+) failed; (\d+) skipped;/gm)];
  const sum = (group: number) => suites.reduce((total, suite) => total + Number(suite[group]), 0);
  const failed = sum(2);
  return {
    passed: sum(1),
    failed: exitCode !== 0 && failed === 0 ? 1 : failed,
    skipped: readSkips(output, sum(3)),
  };
}

function readSkips(output: string, expected: number): readonly Skip[] {
  const named = [...output.matchAll(/^\[SKIP(?:: ([^\]]*))?\] (\S+)/gm)].map((match) => ({
    name: `contracts > ${match[2] ?? ''}`,
    reason: match[1] ?? '',
  }));
  const unnamed = Math.max(0, expected - named.length);
  return [
    ...named,
    ...Array.from({ length: unnamed }, () => ({ name: 'contracts > a test', reason: 'forge did not name it' })),
  ];
}
