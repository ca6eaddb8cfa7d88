import { LatentError } from '@latent/protocol';
import type { Ledger } from './ledger.ts';

/** How often the known head may go back before it is given up for now: honest chains settle. */
const MAX_RETREATS = 8;

/** Watches that looking again leads somewhere. */
export interface Moves {
  /** @throws LatentError CHAIN_UNREACHABLE when nothing has moved, CHAIN_DISAGREES when it only goes to and fro */
  assertGoingOn(behindBlocks: bigint): void;
}

export function createMoves(ledger: Ledger): Moves {
  const state = () => ({ head: ledger.head('latest'), confirmed: ledger.head('confirmed') });
  let before = state();
  let retreats = 0;
  return {
    assertGoingOn: (behindBlocks) => {
      const now = state();
      if (now.head?.hash === before.head?.hash && now.confirmed?.hash === before.confirmed?.hash) {
        throw new LatentError('CHAIN_UNREACHABLE', `Too few endpoints state the next of ${behindBlocks} blocks.`, {
          hint: 'Waiting is safe. An endpoint may lag, or state a head that is none.',
          details: { behindBlocks, head: now.head?.number ?? null },
        });
      }
      if ((now.head?.number ?? -1n) < (before.head?.number ?? -1n)) retreats += 1;
      if (retreats > MAX_RETREATS) {
        throw new LatentError('CHAIN_DISAGREES', `The chain took blocks back ${retreats} times in one look at it.`, {
          hint: 'It is looked at again. If it lasts, find out which endpoint is wrong and remove it.',
          details: { retreats, head: now.head?.number ?? null },
        });
      }
      before = now;
    },
  };
}
