import type { Command } from '@commander-js/extra-typings';
import type { CheatRow } from '@latent/proof/cheats';
import { LatentError } from '@latent/protocol';
import { createLogUpdate } from 'log-update';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { textTable } from '../../screen/text-table.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';

const TRIALS = 60;
const MOST_TRIALS = 1_000_000;

/** `latent proof cheats` */
export function addProofCheats(proof: Command): void {
  proof
    .command('cheats')
    .summary('let dishonest provers answer the hardware challenge, and show what becomes of them')
    .option('--trials <count>', 'challenges of each cheat', String(TRIALS))
    .option('--seed <text>', 'the same seed gives the same trials', 'latent')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent proof cheats --trials 200')
    .action((flags) => runCommand(flags, (context) => runAll(context, flags)));
}

async function runAll(
  { output, signal }: CommandContext,
  flags: { readonly trials: string; readonly seed: string },
): Promise<undefined> {
  const trials = parseTrials(flags.trials);
  const { loadKernel } = await import('@latent/proof');
  const { runCheats, runVariants, runWeaknesses } = await import('@latent/proof/cheats');
  const kernel = await loadKernel();
  const common = { kernel, seed: flags.seed, signal };
  const update = createLogUpdate(process.stderr);
  const onProgress = (text: string) => {
    if (output.isLive) update(`· ${text}`);
  };
  const cheats = await runCheats({
    ...{ ...common, trials },
    onProgress: ({ cheat, trialsDone }) => onProgress(`${cheat}: ${trialsDone} of ${trials}`),
  });
  const fewer = Math.max(1, Math.floor(trials / 20));
  const variants = await runVariants({
    ...{ ...common, onProgress },
    trialsOf: (name) => (name === 'collapse-without-key' ? 10 * trials : fewer),
  });
  const weaknesses = await runWeaknesses({ ...common, trials: fewer, onProgress });
  update.clear();
  output.line(showCheats(cheats));
  output.line(
    `\nCopies of the scheme that lack a defence\n\n${textTable(
      ['attack', 'without', 'gains', 'accepted', 'of'],
      variants.map(({ name, without, gain, accepted, trials: of }) => [
        ...[name, without, `${figure(gain)}×`, String(accepted), String(of)],
      ]),
      ['gains', 'accepted', 'of'],
    )}`,
  );
  output.line(
    `\nPublished weaknesses of other challenges, tried here\n\n${textTable(
      ['weakness', 'refused', 'of', 'with'],
      weaknesses.map(({ name, refused, trials: of, refusals }) => [
        ...[name, String(refused), String(of), Object.keys(refusals).join(', ')],
      ]),
      ['refused', 'of'],
    )}`,
  );
  output.line('\nWhat each does and why it is caught: docs/reference/cheats.md');
  output.result({ trials, cheats, variants, weaknesses });
  return undefined;
}

function showCheats(rows: readonly CheatRow[]): string {
  const lines = rows.map(({ name, claims, gain, predicted, accepted, trials, acceptance, stoppedBy, ...row }) => [
    name,
    gain > 1 ? `${figure(gain)}× ${largest(claims)}` : 'all for each',
    typeof predicted === 'number' ? figure(predicted) : '–',
    `${accepted} of ${trials}`,
    `≤ ${figure(acceptance.high)}`,
    [...Object.keys(row.codes), ...(row.scoredLess > 0 ? ['scored less'] : [])].join(', ') || 'nothing',
    stoppedBy,
  ]);
  const head = ['cheat', 'claims', 'predicted', 'accepted', '95 %', 'refused with', 'stopped by'];
  return textTable(head, lines, ['predicted', 'accepted', '95 %']);
}

function largest(claims: CheatRow['claims']): string {
  const entries = Object.entries(claims).toSorted(([, a], [, b]) => b - a);
  return entries[0]?.[0] ?? '';
}

function figure(value: number): string {
  if (value === 0 || Number.isInteger(value)) return String(value);
  return value < 0.001 ? value.toExponential(1) : String(Number(value.toPrecision(3)));
}

/** @throws LatentError CONFIG_INVALID */
function parseTrials(text: string): number {
  const trials = Number(text);
  if (Number.isInteger(trials) && trials >= 1 && trials <= MOST_TRIALS) return trials;
  throw new LatentError('CONFIG_INVALID', `--trials wants 1 to ${MOST_TRIALS}, not "${text}".`, {
    hint: 'With 4000, a cheat that is never accepted is accepted less than once in a thousand, in 95 % of cases.',
  });
}
