import type { Command } from '@commander-js/extra-typings';
import { formatDollars, LatentError, leaseIdSchema, parseDollars } from '@latent/protocol';
import { billLease, connectChain, defaultGasPrices, withChain } from '@latent/sdk';
import { parseGwei } from 'viem';
import { loadNetwork } from '../../home/network.ts';
import { chooseCluster } from '../../launch/choose-cluster.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { showBill } from '../../screen/show-bill.ts';
import { spentSoFar } from '../../screen/show-cluster.ts';
import { JSON_OPTION } from './common-options.ts';

/** `latent bill [NAME|LEASE]` */
export function addBill(program: Command): void {
  program
    .command('bill')
    .summary('show what a lease cost, from the chain alone')
    .argument('[name]', 'cluster, or the id of any lease (0x…)')
    .option('--gas-gwei <gwei>', 'price of gas to state chain cost at', '0.05')
    .option('--ether <dollars>', 'price of ether to state chain cost at', '3000')
    .option('--network <name>', 'network of a lease given by id', 'devnet')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent bill digits --gas-gwei 0.01')
    .action((name, flags) => runCommand(flags, (context) => bill(context, name, flags)));
}

interface BillFlags {
  readonly gasGwei: string;
  readonly ether: string;
  readonly network: string;
}

async function bill(
  { home, store, output, signal }: CommandContext,
  name: string | undefined,
  flags: BillFlags,
): Promise<undefined> {
  const { leaseId, networkName, record } = readLease(name);
  const network = await loadNetwork(home, networkName);
  const onWaiting = (error: Error) => output.warn(`Waiting for the chain: ${error.message}`);
  const chain = await withChain(() => connectChain(network.deployment), { signal, onWaiting });
  const prices = { ...defaultGasPrices, weiPerGas: readGwei(flags.gasGwei), unitsPerEther: parseDollars(flags.ether) };
  const computed = await withChain(() => billLease(chain, leaseId, prices), { signal, onWaiting });
  output.line(showBill(computed));
  if (record !== undefined && !computed.closed) {
    output.line(`\nNot on the chain yet: what was delivered up to now comes to ${formatDollars(spentSoFar(record))}.`);
  }
  output.result(computed);

  function readLease(given: string | undefined) {
    const id = leaseIdSchema.safeParse(given);
    if (id.success) return { leaseId: id.data, networkName: flags.network, record: undefined };
    const chosen = chooseCluster(store, given);
    return { leaseId: chosen.leaseId, networkName: chosen.network, record: chosen };
  }
}

function readGwei(text: string): bigint {
  if (!/^\d{1,9}(\.\d{1,9})?$/.test(text))
    throw new LatentError('CONFIG_INVALID', `--gas-gwei wants a number like 0.05, not "${text.slice(0, 20)}".`);
  return parseGwei(text);
}
