import { LatentError, leaseEscrowAbi, operatorsAbi, TOKEN_DECIMALS, testDollarAbi } from '@latent/protocol';
import { type Address, ContractFunctionExecutionError } from 'viem';
import type { DevChain } from './connect-dev-chain.ts';

export interface ContractAddresses {
  readonly token: Address;
  readonly operators: Address;
  readonly escrow: Address;
}

/** What the contracts were given when they were created. */
export interface ContractTerms {
  readonly treasury: Address;
  readonly feeBps: number;
  readonly stakePerAgent: bigint;
}

/**
 * Reads back from the chain that the contracts are there, point at each other and keep these terms.
 * @throws LatentError DEVNET_FAILED, naming what differs
 */
export async function verifyContracts(
  chain: DevChain,
  { token, operators, escrow }: ContractAddresses,
  terms: ContractTerms,
): Promise<void> {
  const read = await readTerms(chain, { token, operators, escrow }).catch((cause: unknown) => {
    if (!(cause instanceof ContractFunctionExecutionError)) throw cause;
    throw new LatentError('DEVNET_FAILED', `The contracts are not on the chain: ${cause.shortMessage}`, {
      hint: 'Remove the folder of the local network and start a new one; nothing in it has value.',
      retry: 'never',
      cause,
    });
  });
  const wanted: typeof read = {
    decimals: TOKEN_DECIMALS,
    'token of Operators': token,
    'token of LeaseEscrow': token,
    'operators of LeaseEscrow': operators,
    treasury: terms.treasury,
    feeBps: terms.feeBps,
    stakePerAgent: terms.stakePerAgent,
  };
  const differing = Object.entries(wanted)
    .map(([name, value]) => ({ name, value, found: new Map<string, unknown>(Object.entries(read)).get(name) }))
    .filter(({ value, found }) => value !== found)
    .map(({ name, value, found }) => `${name} is ${found}, not ${value}`);
  if (differing.length === 0) return;
  throw new LatentError('DEVNET_FAILED', `The contracts on the chain are others: ${differing.join('; ')}.`, {
    hint: 'Start with the settings that the network was made with, or remove its folder.',
    retry: 'never',
    details: { differing },
  });
}

async function readTerms(chain: DevChain, { token, operators, escrow }: ContractAddresses) {
  const ofEscrow = { address: escrow, abi: leaseEscrowAbi } as const;
  const ofOperators = { address: operators, abi: operatorsAbi } as const;
  const [decimals, operatorsToken, escrowToken, escrowOperators, treasury, feeBps, stakePerAgent] = await Promise.all([
    chain.readContract({ address: token, abi: testDollarAbi, functionName: 'decimals' }),
    chain.readContract({ ...ofOperators, functionName: 'token' }),
    chain.readContract({ ...ofEscrow, functionName: 'token' }),
    chain.readContract({ ...ofEscrow, functionName: 'operators' }),
    chain.readContract({ ...ofEscrow, functionName: 'treasury' }),
    chain.readContract({ ...ofEscrow, functionName: 'feeBps' }),
    chain.readContract({ ...ofOperators, functionName: 'stakePerAgent' }),
  ]);
  return {
    decimals,
    'token of Operators': operatorsToken,
    'token of LeaseEscrow': escrowToken,
    'operators of LeaseEscrow': escrowOperators,
    treasury,
    feeBps,
    stakePerAgent,
  };
}
