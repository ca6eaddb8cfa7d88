import type { Command } from '@commander-js/extra-typings';
import { systemClock } from '@latent/kit';
import { isOver } from '@latent/sdk';
import { openRelayStore } from '../../home/relay-store.ts';
import { ensureMeter } from '../../launch/spawn-meter.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { showHeadline, showMembers, showMetering, spentSoFar } from '../../screen/show-cluster.ts';
import { showRelayed } from '../../screen/show-relay.ts';
import { JSON_OPTION } from './common-options.ts';

/** `latent status [NAME]` */
export function addStatus(program: Command): void {
  program
    .command('status')
    .summary('show clusters, their ranks and what they cost so far')
    .argument('[name]', 'one cluster; all by default')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent status digits')
    .action((name, flags) => runCommand(flags, async (context) => status(context, name)));
}

function status({ home, store, output }: CommandContext, name: string | undefined): undefined {
  const records = name === undefined ? store.list() : [store.load(name)];
  if (records.length === 0) output.line('No clusters yet. Launch one: latent launch examples/digits/task.yaml');
  const relays = openRelayStore(home);
  for (const record of records) {
    if (!isOver(record) && ensureMeter(home, store, record.name))
      output.warn(`the meter of ${record.name} had died and was started again`);
    output.line(showHeadline(record));
    if (record.outcome !== null && record.outcome.code !== 'done')
      output.line(`  ${record.outcome.code}: ${record.outcome.message}`);
    const relayed = showRelayed(relays.of(record.leaseId));
    for (const line of [...showMetering(record, systemClock.nowMs()), ...relayed]) output.line(`  ${line}`);
    if (!isOver(record)) output.line(`${showMembers(record)}\n`);
  }
  output.result(
    records.map((record) => ({
      cluster: record.name,
      phase: record.phase,
      offlineUntilMs: record.offline?.untilMs,
      handedOverAtMs: record.handedOverAtMs,
      leaseId: record.leaseId,
      outcome: record.outcome,
      deposit: record.terms.order.deposit,
      spent: spentSoFar(record),
      relay: {
        budget: relays.of(record.leaseId).budget(),
        leases: relays
          .of(record.leaseId)
          .leases()
          .map(({ leaseId, book, phase, usedBytes, charged }) => ({
            ...{ leaseId, book, phase, usedBytes, charged },
          })),
      },
      members: record.members.map((view, rank) => ({ rank, operator: record.terms.members[rank]?.operator, ...view })),
    })),
  );
  relays.close();
}
