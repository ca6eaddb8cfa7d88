import { leaseEscrowAbi, type Movement } from '@latent/protocol';
import { type Address, decodeEventLog, erc20Abi } from 'viem';
import type { RpcLog } from './rpc-shapes.ts';

/** What the token moved in a transaction, and what the escrow credited to balances in it. */
export function movementsOf(logs: readonly RpcLog[], token: Address, escrow: Address): readonly Movement[] {
  return logs.flatMap((log): Movement[] => {
    const [first, ...rest] = log.topics;
    if (first === undefined) return [];
    const raw = {
      data: log.data,
      topics: [first, ...rest] satisfies [typeof first, ...typeof rest],
      strict: true,
    } as const;
    try {
      if (log.address === token) {
        const { args } = decodeEventLog({ abi: erc20Abi, eventName: 'Transfer', ...raw });
        return [{ kind: 'transfer', from: args.from, to: args.to, amount: args.value }];
      }
      if (log.address !== escrow) return [];
      const { args } = decodeEventLog({ abi: leaseEscrowAbi, eventName: 'Deposited', ...raw });
      return [{ kind: 'credit', from: escrow, to: args.owner, amount: args.amount }];
    } catch {
      // Another event of theirs: it moves nothing.
      return [];
    }
  });
}
