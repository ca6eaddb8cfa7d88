import type { Command } from '@commander-js/extra-typings';
import { LatentError } from '@latent/protocol';
import { type BookExamination, examineNetwork } from '@latent/sdk';
import { exitCodes } from '../../exit-codes.ts';
import { loadNetwork } from '../../home/network.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { showExamination } from '../../screen/show-examination.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';

interface DoctorFlags {
  readonly network: string;
  readonly book?: string[] | undefined;
  readonly json?: boolean | undefined;
}

/** `latent doctor` */
export function addDoctor(program: Command): void {
  program
    .command('doctor')
    .summary('say what this network lets through, for renters and operators, and what to change')
    .option('--network <name>', 'whose books and chain to try', 'devnet')
    .option('--book <url...>', 'books to try instead of the network’s')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      '\nSends a few UDP packets to each book and 2 MiB through its relay. Costs nothing.\n\nExample:\n  $ latent doctor',
    )
    .action((flags) => runCommand(flags, (context) => examine(context, flags)));
}

async function examine({ home, output, signal }: CommandContext, flags: DoctorFlags): Promise<number> {
  const named = (flags.book ?? []).map(checkUrl);
  const network = named.length > 0 ? undefined : await loadNetwork(home, flags.network);
  const books = network?.books ?? named;
  output.line(`Trying ${books.length === 1 ? 'one book' : `${books.length} books`}; some seconds each.`);
  const examination = await examineNetwork({
    books,
    signal,
    ...(network === undefined ? {} : { deployment: network.deployment }),
    onBook: ({ bookUrl, error }: BookExamination) =>
      output.line(`  ${bookUrl} ${error === undefined ? 'answers' : 'does not answer'}`),
  });
  output.line(`\n${showExamination(examination)}`);
  output.result({
    ...examination,
    books: examination.books.map(({ error, relay, ...book }) => ({
      ...book,
      error: error?.toBody(),
      relay: relay === undefined ? undefined : { ...relay, error: relay.error?.toBody() },
    })),
    chain: examination.chain === undefined ? undefined : { error: examination.chain.error?.toBody() },
  });
  const isCutOff = examination.reachability === 'cut-off' || examination.chain?.error !== undefined;
  return isCutOff ? exitCodes.unreachable : exitCodes.ok;
}

function checkUrl(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new LatentError('CONFIG_INVALID', `${text.slice(0, 200)} is no address of a book.`, {
    hint: 'It looks like https://book.example.',
  });
}
