import { parseArgs } from 'node:util';
import { runContractTests } from './run-contract-tests.ts';
import { runVitest } from './run-vitest.ts';
import { addTallies, type Tally } from './tally.ts';

const USAGE = 'usage: npm test [-- [--contracts] [--unit] [--e2e] [part of a path …]]';

interface Suite {
  readonly name: 'contracts' | 'unit' | 'e2e';
  readonly run: (filters: readonly string[]) => Promise<Tally>;
}

/** Quick ones first; one after the other, so that 2 cores are enough. */
const suites: readonly Suite[] = [
  { name: 'unit', run: (filters) => runVitest(['unit'], filters) },
  { name: 'contracts', run: runContractTests },
  { name: 'e2e', run: (filters) => runVitest(['e2e', 'nat'], filters) },
];

/** All suites unless some are named; a path alone means the TypeScript ones. */
function chooseSuites(
  flags: Readonly<Record<string, boolean | undefined>>,
  filters: readonly string[],
): readonly Suite[] {
  const named = suites.filter((suite) => flags[suite.name] === true);
  if (named.length > 0) return named;
  return filters.length > 0 ? suites.filter((suite) => suite.name !== 'contracts') : suites;
}

function readArguments() {
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({ allowPositionals: true, options: { contracts: flag, unit: flag, e2e: flag } });
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    process.exit(2);
  }
}

const { values, positionals } = readArguments();
const tallies: Tally[] = [];
const empty: string[] = [];
for (const suite of chooseSuites(values, positionals)) {
  console.log(`\n── ${suite.name} ──`);
  const tally = await suite.run(positionals);
  tallies.push(tally);
  if (tally.passed + tally.failed === 0 && positionals.length === 0) empty.push(suite.name);
}

const total = addTallies(tallies);
console.log('');
for (const { name, reason } of total.skipped) console.log(`skipped: ${name}${reason === '' ? '' : ` (${reason})`}`);
for (const name of empty) console.log(`no test of ${name} ran: that is a failure`);
const ran = total.passed + total.failed;
if (ran === 0) console.log('no test ran: that is a failure');
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped.length} skipped`);
process.exitCode = total.failed > 0 || empty.length > 0 || ran === 0 ? 1 : 0;
