import { LatentError } from '@latent/protocol';
import { type AdvanceContext, BY_QUORUM, headOf } from './advance-context.ts';
import { confirmBlocks } from './confirm-blocks.ts';
import { takeBackByQuorum } from './take-back.ts';
import { timeLogs } from './time-logs.ts';

/** Takes in a range of what is long past: by quorum at once, and confirmed with that. */
export async function readHistory(context: AdvanceContext, head: bigint): Promise<void> {
  const { endpoints, ledger, settings } = context;
  const known = ledger.head('latest');
  if (known !== undefined && known.number > (ledger.head('confirmed')?.number ?? -1n)) {
    return confirmBlocks(context, head);
  }
  const from = known === undefined ? settings.firstBlock : known.number + 1n;
  const agreed = await context.agreedLogs(from, head - settings.windowBlocks);
  if (agreed === undefined) throw notReached(from, head);
  if (known !== undefined) {
    const first = from === agreed.end.number ? agreed.end : await endpoints.agreedBlock(from);
    if (first?.parentHash !== known.hash) {
      return takeBackByQuorum(context, known.number, `block ${from} does not follow it`);
    }
  }
  const logs = await timeLogs(endpoints, agreed.logs);
  const end = headOf(agreed.end);
  ledger.transaction(() => {
    const blocks = [{ ...end, servedBy: BY_QUORUM }];
    if (ledger.extend({ onto: known?.hash, blocks, logs, isRange: true })) ledger.confirm(end);
  });
}

function notReached(from: bigint, head: bigint): LatentError {
  return new LatentError(
    'CHAIN_UNREACHABLE',
    `Too few endpoints have reached block ${from}; one states ${head} as its head.`,
    {
      hint: 'Waiting is safe. An endpoint may lag, or state a head that is none.',
      details: { from, head },
    },
  );
}
