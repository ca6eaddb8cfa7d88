import { logWords } from '../endpoints/agreed-reads.ts';
import type { RawLog } from '../endpoints/chain-shapes.ts';
import type { AgreedLogs } from '../endpoints/endpoints.ts';
import { type AdvanceContext, BY_QUORUM, headOf, least } from './advance-context.ts';
import type { KeptBlock } from './ledger.ts';
import { takeBackByQuorum } from './take-back.ts';
import { timeLogs } from './time-logs.ts';

/** Compares what one endpoint said, block by block, with what a quorum says once the blocks are deep. */
export async function confirmBlocks(context: AdvanceContext, head: bigint): Promise<void> {
  const { ledger, settings } = context;
  const known = ledger.head('latest');
  if (known === undefined) return;
  const confirmed = ledger.head('confirmed');
  const from = confirmed === undefined ? settings.firstBlock : confirmed.number + 1n;
  const to = least(known.number, head - settings.confirmations);
  if (to < from) return;
  const agreed = await context.agreedLogs(from, to);
  if (agreed === undefined) return;
  const kept = ledger.keptAtOrBelow(agreed.end.number);
  if (kept?.number !== agreed.end.number || kept.hash !== agreed.end.hash) {
    return takeBackByQuorum(context, agreed.end.number, 'a quorum of endpoints has another block');
  }
  const differing = firstDifference(ledger.logsBetween(from, kept.number), agreed.logs);
  if (differing === undefined) ledger.confirm(kept);
  else await repair(context, agreed, { from, differing, kept });
}

interface Damage {
  readonly from: bigint;
  /** The lowest block whose logs are not those that were stored. */
  readonly differing: bigint;
  readonly kept: KeptBlock;
}

/** Takes back what rests on wrong logs, and takes in the right ones: consumers see them in the chain's order. */
async function repair(
  { endpoints, ledger, logger }: AdvanceContext,
  agreed: AgreedLogs,
  { from, differing, kept }: Damage,
): Promise<void> {
  const known = ledger.head('latest');
  const good = ledger.keptAtOrBelow(differing - 1n);
  const above = good?.number ?? from - 1n;
  const later = agreed.logs.filter(({ blockNumber }) => blockNumber > above);
  const logs = await timeLogs(endpoints, later);
  const fields = {
    endpoint: ledger.keptAtOrBelow(differing)?.servedBy,
    block: differing,
    stored: ledger.logsBetween(from, kept.number).length,
    agreed: agreed.logs.length,
  };
  logger.error(fields, 'an endpoint gave other logs before than all give now: taking them anew');
  ledger.transaction(() => {
    if (!ledger.rewind(known?.hash, good)) return;
    ledger.extend({ onto: good?.hash, blocks: [{ ...headOf(kept), servedBy: BY_QUORUM }], logs, isRange: true });
    ledger.confirm(kept);
  });
}

/** The lowest block in which the two differ. Both in the chain's order. */
function firstDifference(stored: readonly RawLog[], agreed: readonly RawLog[]): bigint | undefined {
  for (let at = 0; at < Math.max(stored.length, agreed.length); at += 1) {
    const [one, other] = [stored[at], agreed[at]];
    if (one !== undefined && other !== undefined && logWords(one) === logWords(other)) continue;
    if (one === undefined) return other?.blockNumber;
    return other === undefined ? one.blockNumber : least(one.blockNumber, other.blockNumber);
  }
  return undefined;
}
