import type { Address } from 'viem';

/** An agent as the chain knows it. */
export interface RegisteredAgent {
  readonly operator: Address;
  /** Asks signed for another epoch are void. */
  readonly epoch: number;
}

/** Who operates which agent: `Operators` on chain, or whatever stands for it. */
export interface OperatorRegistry {
  /**
   * @returns undefined if the key belongs to nobody
   * @throws LatentError CHAIN_UNREACHABLE (to be tried again), CHAIN_WRONG, or the signal's reason
   */
  agentOf(agentKey: Address, signal: AbortSignal): Promise<RegisteredAgent | undefined>;
}
