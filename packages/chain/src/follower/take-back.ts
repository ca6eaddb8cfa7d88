import { LatentError } from '@latent/protocol';
import { type AdvanceContext, least } from './advance-context.ts';
import type { ChainHead } from './follower.ts';
import { findAncestor } from './look-at-chain.ts';

export interface Reorganisation {
  /** The head that was known when it was found. */
  readonly known: ChainHead | undefined;
  /** The highest block that both chains have. */
  readonly ancestor: ChainHead | undefined;
  /** The new chain reaches so far at least. */
  readonly head: bigint;
  readonly why: string;
}

/** As {@link takeBack}, to where a quorum still has what is known. */
export async function takeBackByQuorum(context: AdvanceContext, from: bigint, why: string): Promise<void> {
  const { endpoints, ledger } = context;
  const known = ledger.head('latest');
  const ancestor = await findAncestor(ledger, from, (number) => endpoints.agreedBlock(number));
  await takeBack(context, { known, ancestor, head: from, why });
}

/** Takes back all above the ancestor. What was confirmed is not given up on the word of one endpoint. */
export async function takeBack(context: AdvanceContext, reorganisation: Reorganisation): Promise<void> {
  const { ledger, logger, settings } = context;
  const { known, ancestor, head, why } = reorganisation;
  const confirmed = ledger.head('confirmed');
  const above = ancestor?.number ?? settings.firstBlock - 1n;
  if (confirmed !== undefined && confirmed.number > above) {
    await assertGone(context, least(confirmed.number, head));
    const fields = { confirmed: confirmed.number, ancestor: above, why };
    logger.error(fields, 'the chain took back blocks that were confirmed');
  } else {
    logger.info({ head: known?.number, ancestor: above, why }, 'the chain was reorganised');
  }
  ledger.rewind(known?.hash, ancestor);
}

async function assertGone({ endpoints, ledger }: AdvanceContext, number: bigint): Promise<void> {
  const kept = ledger.keptAtOrBelow(number);
  if (kept === undefined) return;
  const agreed = await endpoints.agreedBlock(kept.number);
  if (agreed?.hash !== kept.hash) return;
  throw new LatentError(
    'CHAIN_DISAGREES',
    `An endpoint denies block ${kept.number}, which was confirmed and is there.`,
    {
      hint: 'It is asked again. If it lasts, find out which endpoint is wrong and remove it.',
      details: { block: kept.number, hash: kept.hash },
    },
  );
}
