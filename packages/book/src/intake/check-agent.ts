import type { Clock } from '@latent/kit';
import { type Ask, LatentError } from '@latent/protocol';
import type { Address } from 'viem';
import type { OperatorRegistry, RegisteredAgent } from './operator-registry.ts';

/**
 * Checks an ask against the chain: the agent is the operator's, and has not cancelled its asks since.
 * @throws LatentError ASK_UNKNOWN_AGENT, ASK_CANCELLED, and what the registry throws
 */
export type CheckAgent = (ask: Ask, signal: AbortSignal) => Promise<void>;

/** How long an answer of the chain that bears an ask out is good for further asks. */
const FRESH_MS = 5_000;
const MAX_REMEMBERED = 10_000;

/** Remembers only what speaks for an ask: a refusal is always by the chain's word of now, as agents join and re-sign. */
export function createCheckAgent(registry: OperatorRegistry, clock: Clock): CheckAgent {
  const remembered = new Map<Address, { readonly agent: RegisteredAgent; readonly atMs: number }>();
  return async (ask, signal) => {
    const known = remembered.get(ask.agentKey);
    if (known && clock.nowMs() - known.atMs < FRESH_MS && faultOf(ask, known.agent) === undefined) return;
    const agent = await registry.agentOf(ask.agentKey, signal);
    const fault = faultOf(ask, agent);
    remembered.delete(ask.agentKey);
    if (fault !== undefined) throw fault;
    if (agent === undefined) return;
    const [oldest] = remembered.keys();
    if (remembered.size >= MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
    remembered.set(ask.agentKey, { agent, atMs: clock.nowMs() });
  };
}

function faultOf(ask: Ask, agent: RegisteredAgent | undefined): LatentError | undefined {
  if (agent?.operator !== ask.operator) {
    return new LatentError('ASK_UNKNOWN_AGENT', `Agent ${ask.agentKey} does not belong to operator ${ask.operator}.`, {
      hint: 'The operator has to register the agent on chain first.',
      details: { agentKey: ask.agentKey, operator: ask.operator },
    });
  }
  if (agent.epoch !== ask.epoch) {
    return new LatentError('ASK_CANCELLED', `The ask is of epoch ${ask.epoch}; its agent is at ${agent.epoch} now.`, {
      hint: 'The agent has to sign a new one.',
      details: { agentKey: ask.agentKey, epoch: agent.epoch },
    });
  }
  return undefined;
}
