import { signJoin } from '@latent/protocol';
import { joinAgent, withChain } from '@latent/sdk';
import type { AgentContext } from '../agent-context.ts';

/**
 * Makes sure that the agent key belongs to the operator on chain, staking what that takes. Waits for a chain that is down.
 * Repeatable: each step looks first.
 * @returns the agent's epoch, which its asks have to name
 * @throws LatentError CHAIN_REVERTED if the key belongs to somebody else; FUNDS_TOO_LOW
 */
export async function joinOperator(
  context: Pick<AgentContext, 'chain' | 'identity' | 'logger' | 'signal'>,
): Promise<number> {
  const { chain, identity, logger, signal } = context;
  const { chainId, operators } = chain.deployment;
  const onWaiting = (error: Error) => logger.warn({ error: error.message }, 'waiting for the chain');
  const operator = identity.operator.address;
  const agentKey = identity.agent.address;
  return withChain(
    async () => {
      const signature = await signJoin(identity.agent, chainId, operators, operator);
      const { epoch, sent, staked } = await joinAgent(chain, identity.operator, { agentKey, signature });
      if (sent !== undefined) logger.info({ operator, agentKey, staked: staked.toString(), hash: sent.hash }, 'joined');
      return epoch;
    },
    { signal, onWaiting },
  );
}
