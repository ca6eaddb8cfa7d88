import { createInterface } from 'node:readline/promises';
import { systemClock } from '@latent/kit';
import { formatDollars, LatentError } from '@latent/protocol';
import {
  type ClusterRecord,
  connectChain,
  isMeteredElsewhere,
  isOver,
  type OfflinePlan,
  planOffline,
  readLease,
  withChain,
} from '@latent/sdk';
import { loadNetwork } from '../../home/network.ts';
import { waitForPhase } from '../../launch/wait-for-phase.ts';
import type { CommandContext } from '../../run-command.ts';
import { showTime } from '../../screen/show-cluster.ts';

/** How long members are given to take the voucher while the renter still waits. */
const HANDED_WITHIN_MS = 60_000;

export interface PaidAhead extends OfflinePlan {
  /** Ranks that hold the voucher: all that run. */
  readonly handed: readonly number[];
}

/**
 * Shows what it can cost at most, has the meter sign one voucher for so long, and waits until every rank that runs holds it.
 * @throws LatentError CLUSTER_NOT_RUNNING, CLUSTER_HANDED_OVER, CANCELLED, PEER_UNREACHABLE (a rank does not hold it yet)
 */
export async function payAhead(
  context: CommandContext,
  cluster: ClusterRecord,
  { forMs, yes }: { readonly forMs: number; readonly yes: boolean },
): Promise<PaidAhead> {
  const { output, store } = context;
  const record = await withOpening(context, refuseUnlessMetered(cluster));
  const plan = planOffline(record, systemClock.nowMs() + forMs);
  const ranks = record.members.flatMap((_, rank) => (plan.leftOut.includes(rank) ? [] : [rank]));
  if (ranks.length === 0) {
    throw new LatentError(
      'CLUSTER_NOT_RUNNING',
      `No rank of ${record.name} runs a job; there is nothing to pay ahead.`,
    );
  }
  for (const line of showPlan(plan, record)) output.line(line);
  await confirm(context, yes);
  const { untilMs } = plan;
  store.update(record.name, (before) => ({ ...refuseUnlessMetered(before), offline: { untilMs, handed: [] } }));
  return { ...plan, handed: await awaitHanded(context, record.name, { untilMs, ranks }) };
}

function refuseUnlessMetered(record: ClusterRecord): ClusterRecord {
  if (isMeteredElsewhere(record)) {
    throw new LatentError(
      'CLUSTER_HANDED_OVER',
      `The meter of ${record.name} was handed over; it pays as long as it runs.`,
    );
  }
  if (record.phase === 'running' && record.stopRequested === null) return record;
  throw new LatentError(
    'CLUSTER_NOT_RUNNING',
    `${record.name} is ${record.phase === 'running' ? 'ending' : record.phase}.`,
    {
      hint: `Only a running cluster can be paid ahead: latent status ${record.name}`,
    },
  );
}

/** The lease's end bounds what can be paid; clusters of an older version have not noted their opening. */
async function withOpening(
  { home, output, signal, store }: CommandContext,
  record: ClusterRecord,
): Promise<ClusterRecord> {
  if (record.openedAt !== undefined) return record;
  const { deployment } = await loadNetwork(home, record.network);
  const onWaiting = (error: Error) => output.warn(`Waiting for the chain: ${error.message}`);
  const { openedAt } = await withChain(async () => readLease(await connectChain(deployment), record.leaseId), {
    signal,
    onWaiting,
  });
  return store.update(record.name, (before) => ({ ...before, openedAt }));
}

function showPlan(plan: OfflinePlan, record: ClusterRecord): readonly string[] {
  const dollars = formatDollars;
  return [
    `${record.name}, paid ahead until ${showTime(plan.untilMs)}:`,
    `  at most ${dollars(plan.perHourUp)}/h, at most ${dollars(plan.fromNowUp)} from now on, at most ${dollars(plan.inAllUp)} for the whole lease (${dollars(record.terms.order.deposit)} is locked)`,
    '  The contract pays by its clock: a machine that stops is not paid on. A machine whose job has ended is, until you end it.',
    ...(plan.isBudgetShort
      ? ['  The deposit does not last until then: machines end their part when it is used up.']
      : []),
    ...(plan.leftOut.length === 0 ? [] : [`  Not paid ahead, as nothing runs there: rank ${plan.leftOut.join(', ')}`]),
  ];
}

async function confirm({ output, signal }: CommandContext, yes: boolean): Promise<void> {
  if (yes || !output.isLive || !process.stdin.isTTY) return;
  const prompt = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const answer = await prompt.question('Sign it? [Y/n] ', { signal });
    if (/^n/i.test(answer.trim())) throw new LatentError('CANCELLED', 'Nothing was signed.');
  } finally {
    prompt.close();
  }
}

async function awaitHanded(
  { home, store, output, signal }: CommandContext,
  name: string,
  { untilMs, ranks }: { readonly untilMs: number; readonly ranks: readonly number[] },
): Promise<readonly number[]> {
  const afterSeq = store.eventsAfter(name, 0).at(-1)?.seq ?? 0;
  const endMs = systemClock.nowMs() + HANDED_WITHIN_MS;
  const missing = ({ offline }: ClusterRecord) =>
    ranks.filter((rank) => offline?.untilMs !== untilMs || !offline.handed.includes(rank));
  const record = await waitForPhase(
    { home, store, name, signal, afterSeq, onEvent: ({ text }) => output.line(`· ${text}`) },
    (now) => missing(now).length === 0 || systemClock.nowMs() > endMs,
  );
  if (isOver(record)) throw new LatentError('CLUSTER_NOT_RUNNING', `${name} has ended meanwhile.`);
  const left = missing(record);
  if (left.length === 0) return ranks;
  throw new LatentError('PEER_UNREACHABLE', `Rank ${left.join(', ')} does not hold the voucher yet.`, {
    hint: `While this machine is up, its meter goes on trying: latent status ${name}`,
    details: { ranks: left.join(', ') },
  });
}
