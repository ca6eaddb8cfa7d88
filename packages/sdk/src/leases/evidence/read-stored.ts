import { LatentError, type LeaseId, leaseEscrowAbi, type StoredLease } from '@latent/protocol';
import { type Address, decodeFunctionResult, encodeFunctionData, numberToHex } from 'viem';
import type { ChainReader } from './chain-reader.ts';
import { dataSchema } from './rpc-shapes.ts';

const states = ['none', 'active', 'closed'] as const;

/** The slot of a lease at the end of a block. @throws LatentError MESSAGE_INVALID, and those of {@link ChainReader} */
export async function readStored(
  reader: ChainReader,
  escrow: Address,
  leaseId: LeaseId,
  block: bigint,
): Promise<StoredLease> {
  const call = { abi: leaseEscrowAbi, functionName: 'lease' } as const;
  const request = { to: escrow, data: encodeFunctionData({ ...call, args: [leaseId] }) };
  const what = `slot of lease ${leaseId} at block ${block}`;
  const data = await reader.read(what, 'eth_call', [request, numberToHex(block)], dataSchema);
  try {
    const { state, ...slot } = decodeFunctionResult({ ...call, data });
    const name = states[state];
    if (name !== undefined) return { ...slot, state: name };
  } catch (cause) {
    throw new LatentError('MESSAGE_INVALID', `The endpoint's ${what} is none.`, {
      hint: 'Is the deployment file that of this chain?',
      cause,
    });
  }
  throw new LatentError('CHAIN_WRONG', `The escrow reports a state of lease ${leaseId} that it cannot have.`, {
    hint: 'Is the deployment file that of this chain?',
  });
}
