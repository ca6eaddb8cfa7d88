import type { Command } from '@commander-js/extra-typings';
import { LatentError } from '@latent/protocol';
import { type ClusterRecord, connectChain, isOver, settleRelayLeases, settleStopped, withChain } from '@latent/sdk';
import { loadPayer } from '../../home/load-payer.ts';
import { loadNetwork } from '../../home/network.ts';
import { openRelayStore } from '../../home/relay-store.ts';
import { chooseCluster } from '../../launch/choose-cluster.ts';
import { waitForPhase } from '../../launch/wait-for-phase.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { JSON_OPTION } from './common-options.ts';

/** `latent down [NAME]` */
export function addDown(program: Command): void {
  program
    .command('down')
    .summary('end a cluster: stop the job, close the lease, get the rest back')
    .argument('[name]', 'cluster; by default the one that runs')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent down digits')
    .action((name, flags) => runCommand(flags, (context) => down(context, name)));
}

async function down(context: CommandContext, name: string | undefined): Promise<undefined> {
  const { store, output } = context;
  const chosen = chooseCluster(store, name);
  if (chosen.phase === 'ended' && (await settleRelay(context, chosen))) return;
  if (chosen.phase === 'ended') {
    throw new LatentError('CLUSTER_NOT_RUNNING', `${chosen.name} has ended already.`, {
      hint: `What it cost: latent bill ${chosen.name}`,
    });
  }
  const record = isOver(chosen) ? await settle(context, chosen) : await endAndWait(context, chosen);
  output.line(
    record.phase === 'ended'
      ? `${record.name} has ended. What it cost: latent bill ${record.name}`
      : `${record.name} is stopped: nothing more is paid. The rest of the deposit comes back after the closing window, by itself or with another latent down. So far: latent bill ${record.name}`,
  );
  output.result({ cluster: record.name, phase: record.phase, leaseId: record.leaseId });
}

/** For a cluster that could only be stopped. Any of its agents does this too, if one is left. */
async function settle({ home, store, output, signal }: CommandContext, stopped: ClusterRecord): Promise<ClusterRecord> {
  const network = await loadNetwork(home, stopped.network);
  const renter = await loadPayer(home, { name: stopped.network, network }, stopped.terms.order);
  const onWaiting = (error: Error) => output.warn(`Waiting for the chain: ${error.message}`);
  const chain = await withChain(() => connectChain(network.deployment), { signal, onWaiting });
  return settleStopped({ name: stopped.name, journal: store, chain, renter, signal });
}

/**
 * For relay leases that a meter left open as it was killed.
 * @returns whether there were any
 */
async function settleRelay({ home, output, signal }: CommandContext, ended: ClusterRecord): Promise<boolean> {
  const relays = openRelayStore(home);
  try {
    const relay = relays.of(ended.leaseId);
    if (!relay.leases().some(({ phase }) => phase === 'open' || phase === 'stopped')) return false;
    const network = await loadNetwork(home, ended.network);
    const account = await loadPayer(home, { name: ended.network, network }, ended.terms.order);
    const onWaiting = (error: Error) => output.warn(`Waiting for the chain: ${error.message}`);
    const chain = await withChain(() => connectChain(network.deployment), { signal, onWaiting });
    const journal = { ...relay, tell: ({ text }: { readonly text: string }) => output.line(`· ${text}`) };
    const seconds = await settleRelayLeases({ account, chain, journal, signal });
    output.line(
      seconds === 0
        ? `The relay leases of ${ended.name} are closed. What they cost: latent bill ${ended.name}`
        : `The relay leases of ${ended.name} are stopped. What was not used comes back in ${Math.ceil(seconds / 60)} min, by itself or with another latent down.`,
    );
    output.result({ cluster: ended.name, phase: ended.phase, leaseId: ended.leaseId });
    return true;
  } finally {
    relays.close();
  }
}

/** Asks the meter for the end and shows it. Safe to interrupt: the meter ends the cluster all the same. */
export async function endAndWait(
  { home, store, output, signal }: CommandContext,
  chosen: ClusterRecord,
): Promise<ClusterRecord> {
  const { name } = chosen;
  const seen = store.eventsAfter(name, 0).at(-1)?.seq ?? 0;
  store.update(name, (record) => ({ ...record, stopRequested: record.stopRequested ?? 'the renter ended it' }));
  return waitForPhase(
    { home, store, name, signal, afterSeq: seen, onEvent: ({ text }) => output.line(`· ${text}`) },
    () => false,
  );
}
