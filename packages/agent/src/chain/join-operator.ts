import { operatorsAbi, signJoin } from '@latent/protocol';
import { type ChainClient, encodeCall, sendTransaction, toChainError, withChain } from '@latent/sdk';
import { type Address, erc20Abi, zeroAddress } from 'viem';
import type { AgentContext } from '../agent-context.ts';

/**
 * Makes sure that the agent key belongs to the operator on chain, staking what that takes. Waits for a chain that is down.
 * Repeatable: each step looks first.
 * @returns the agent's epoch, which its asks have to name
 * @throws LatentError NOT_ALLOWED (via the contract) if the key belongs to somebody else; FUNDS_TOO_LOW
 */
export async function joinOperator(
  context: Pick<AgentContext, 'chain' | 'identity' | 'logger' | 'signal'>,
): Promise<number> {
  const { chain, identity, logger, signal } = context;
  const onWaiting = (error: Error) => logger.warn({ error: error.message }, 'waiting for the chain');
  return withChain(
    async () => {
      const known = await readAgent(chain, identity.agent.address);
      if (known.operator === identity.operator.address) return known.epoch;
      await stakeForOneMore(context);
      const signature = await signJoin(
        identity.agent,
        chain.deployment.chainId,
        chain.deployment.operators,
        identity.operator.address,
      );
      const data = encodeCall({ abi: operatorsAbi, functionName: 'join', args: [identity.agent.address, signature] });
      const sent = await sendTransaction(chain, identity.operator, { to: chain.deployment.operators, data });
      logger.info({ operator: identity.operator.address, agentKey: identity.agent.address, hash: sent.hash }, 'joined');
      return (await readAgent(chain, identity.agent.address)).epoch;
    },
    { signal, onWaiting },
  );
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

async function stakeForOneMore({
  chain,
  identity,
  logger,
}: Pick<AgentContext, 'chain' | 'identity' | 'logger'>): Promise<void> {
  const { operators, token } = chain.deployment;
  const owner = identity.operator.address;
  const [account, perAgent] = await Promise.all([
    chain.public.readContract({ address: operators, abi: operatorsAbi, functionName: 'account', args: [owner] }),
    chain.public.readContract({ address: operators, abi: operatorsAbi, functionName: 'stakePerAgent' }),
  ]);
  const missing = perAgent * BigInt(account.agents + 1) - account.stake;
  if (missing <= 0n) return;
  const approve = encodeCall({ abi: erc20Abi, functionName: 'approve', args: [operators, missing] });
  await sendTransaction(chain, identity.operator, { to: token, data: approve });
  const stake = encodeCall({ abi: operatorsAbi, functionName: 'stake', args: [missing] });
  await sendTransaction(chain, identity.operator, { to: operators, data: stake });
  logger.info({ operator: owner, staked: missing.toString() }, 'staked');
}
