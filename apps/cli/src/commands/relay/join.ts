import type { Command } from '@commander-js/extra-typings';
import { formatDollars, LatentError, pricePerGibUp } from '@latent/protocol';
import { askRelay, joinAgent } from '@latent/sdk';
import { loadRenter } from '../../home/network.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { askLeave } from '../../screen/ask-leave.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';
import { reachNetwork } from '../session/reach-network.ts';

/** `latent relay join BOOK --key FILE` */
export function addRelayJoin(relay: Command): void {
  relay
    .command('join')
    .summary('take the relay of your book in as an agent of yours, so that it can be paid')
    .argument('<book>', 'URL of the book')
    .requiredOption('--key <file>', 'file of the operator key, 32 bytes, which its settings name as `relay.operator`')
    .option('-y, --yes', 'do not ask before money is staked')
    .option('--network <name>', 'network of the book', 'devnet')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent relay join https://book.example --key operator.key')
    .action((book, flags) => runCommand(flags, (context) => joinRelay(context, book, flags)));
}

interface RelayJoinFlags {
  readonly key: string;
  readonly yes?: true | undefined;
  readonly network: string;
}

async function joinRelay(context: CommandContext, book: string, flags: RelayJoinFlags): Promise<undefined> {
  const { output, signal } = context;
  if (!URL.canParse(book)) throw new LatentError('CONFIG_INVALID', `"${book.slice(0, 80)}" is not a URL.`);
  const { chain, network } = await reachNetwork(context, flags.network);
  const operator = await loadRenter({ ...network, renterKeyFile: flags.key });
  const { join, offer } = await askRelay(book, signal);
  if (join === null) {
    throw new LatentError('CONFIG_INVALID', `${book} relays nothing for payment.`, {
      hint: 'Set `relay` in its settings, and start it again.',
    });
  }
  if (join.operator !== operator.address) {
    throw new LatentError(
      'CONFIG_INVALID',
      `${book} names operator ${join.operator}; the key is ${operator.address}'s.`,
    );
  }
  output.line(`${operator.address} takes in relay key ${join.agentKey} of ${book}, and stakes for it if it has to.`);
  await askLeave(context, 'Join it?', { yes: flags.yes ?? false, refused: 'Nothing was joined.' });
  const { sent, staked, epoch } = await joinAgent(chain, operator, join);
  const price = offer === null ? '' : ` It relays for ${formatDollars(pricePerGibUp(offer.ask.rate))} per GiB.`;
  const what = sent === undefined ? 'It belonged to you already.' : `Joined; ${formatDollars(staked)} was staked.`;
  output.line(`${what}${price}`);
  output.result({ operator: operator.address, agentKey: join.agentKey, staked, epoch, transaction: sent?.hash });
}
