import { type AdvanceContext, headOf, most } from './advance-context.ts';
import { confirmBlocks } from './confirm-blocks.ts';
import { type Look, lookAtChain, settleDoubt } from './look-at-chain.ts';
import { readHistory } from './read-history.ts';
import { takeBack } from './take-back.ts';

/**
 * Looks at the chain once and takes in what it finds, a bounded piece of it.
 * @returns how far away the chain's head is then
 * @throws LatentError CHAIN_UNREACHABLE, CHAIN_WRONG, CHAIN_DISAGREES; viem's RpcRequestError
 */
export async function advance(context: AdvanceContext): Promise<bigint> {
  const { endpoints, ledger, settings } = context;
  const look = await endpoints.onOne((endpoint) => lookAtChain(endpoint, ledger, settings));
  const head = look.head.number;
  switch (look.kind) {
    case 'same':
      await confirmBlocks(context, head);
      break;
    case 'far':
      await readHistory(context, head);
      break;
    case 'near':
      await takeIn(context, look);
      await confirmBlocks(context, head);
      break;
    case 'reorganised':
      await takeBack(context, {
        ...{ known: look.known, ancestor: look.ancestor, head },
        why: `endpoint ${look.endpoint} has another chain`,
      });
      break;
  }
  return most(0n, head - (ledger.head('latest')?.number ?? settings.firstBlock - 1n));
}

async function takeIn({ endpoints, ledger, settings }: AdvanceContext, look: Look & { readonly kind: 'near' }) {
  for (const block of look.blocks) await settleDoubt(endpoints, settings.contracts, block);
  ledger.extend({
    onto: look.known?.hash,
    blocks: look.blocks.map(({ header }) => ({ ...headOf(header), servedBy: look.endpoint })),
    logs: look.blocks.flatMap(({ header, logs }) => logs.map((log) => ({ ...log, timestamp: header.timestamp }))),
    isRange: false,
  });
}
