import { operatorsAbi } from '@latent/protocol';
import { type Address, erc20Abi, type Hex, type LocalAccount, zeroAddress } from 'viem';
import { toChainError } from '../chain/chain-error.ts';
import type { ChainClient } from '../chain/connect-chain.ts';
import { encodeCall, type SentTransaction, sendTransaction } from '../chain/send-transaction.ts';

export interface JoinedAgent {
  /** The agent's, which its asks have to name. */
  readonly epoch: number;
  /** Base units that were staked for it; 0 where enough was there. */
  readonly staked: bigint;
  /** Undefined where it belonged to the operator already. */
  readonly sent: SentTransaction | undefined;
}

/**
 * Makes sure that an agent key belongs to an operator on chain, staking what that takes. Repeatable: each step looks first.
 * @param consent by the agent key; see `signJoin`
 * @throws LatentError CHAIN_REVERTED (the key belongs to somebody else, or the consent is not its own), FUNDS_TOO_LOW, CHAIN_UNREACHABLE
 */
export async function joinAgent(
  chain: ChainClient,
  operator: LocalAccount,
  consent: { readonly agentKey: Address; readonly signature: Hex },
): Promise<JoinedAgent> {
  const { agentKey, signature } = consent;
  const known = await readAgent(chain, agentKey);
  if (known.operator === operator.address) return { epoch: known.epoch, staked: 0n, sent: undefined };
  const staked = await stakeForOneMore(chain, operator);
  const data = encodeCall({ abi: operatorsAbi, functionName: 'join', args: [agentKey, signature] });
  const sent = await sendTransaction(chain, operator, { to: chain.deployment.operators, data });
  return { epoch: (await readAgent(chain, agentKey)).epoch, staked, sent };
}

/** The agent's entry in `Operators`; operator zero if it never joined. */
async function readAgent(
  chain: ChainClient,
  agentKey: Address,
): Promise<{ readonly operator: Address; readonly epoch: number }> {
  const agent = await chain.public
    .readContract({ address: chain.deployment.operators, abi: operatorsAbi, functionName: 'agent', args: [agentKey] })
    .catch((thrown: unknown) => {
      throw toChainError(thrown);
    });
  return agent.operator === zeroAddress ? { operator: zeroAddress, epoch: 0 } : agent;
}

async function stakeForOneMore(chain: ChainClient, operator: LocalAccount): Promise<bigint> {
  const { operators, token } = chain.deployment;
  const owner = operator.address;
  const [account, perAgent] = await Promise.all([
    chain.public.readContract({ address: operators, abi: operatorsAbi, functionName: 'account', args: [owner] }),
    chain.public.readContract({ address: operators, abi: operatorsAbi, functionName: 'stakePerAgent' }),
  ]).catch((thrown: unknown) => {
    throw toChainError(thrown);
  });
  const missing = perAgent * BigInt(account.agents + 1) - account.stake;
  if (missing <= 0n) return 0n;
  const approve = encodeCall({ abi: erc20Abi, functionName: 'approve', args: [operators, missing] });
  await sendTransaction(chain, operator, { to: token, data: approve });
  const stake = encodeCall({ abi: operatorsAbi, functionName: 'stake', args: [missing] });
  await sendTransaction(chain, operator, { to: operators, data: stake });
  return missing;
}
