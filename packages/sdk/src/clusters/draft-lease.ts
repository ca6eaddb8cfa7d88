import { type EscrowDomain, hashAsk, type LeaseTerms, requiredDeposit, type SignedAsk } from '@latent/protocol';
import { type Address, type Hex, zeroAddress } from 'viem';

export interface DraftLeaseParameters {
  readonly domain: EscrowDomain;
  readonly asks: readonly Pick<SignedAsk, 'ask'>[];
  readonly devicesPerMachine: number;
  readonly renter: Address;
  /** Opens the lease from the renter's balance. */
  readonly session?: Address | undefined;
  readonly meterKey: Address;
  readonly seconds: number;
  readonly nowSeconds: number;
  /** Digest of the job, for evidence. */
  readonly workload: Hex;
  readonly salt: bigint;
}

/** How long the opening transaction stays good. */
const OPEN_SECONDS = 120;

/**
 * The terms of a lease over these asks: the strictest closing window and prepay that any of them wants, and exactly the
 * deposit that the contract requires.
 */
export function draftLease(parameters: DraftLeaseParameters): LeaseTerms {
  const { domain, asks, devicesPerMachine, seconds } = parameters;
  const members = asks.map(({ ask }) => ({
    ask: hashAsk(domain, ask),
    operator: ask.operator,
    agentKey: ask.agentKey,
    devices: devicesPerMachine,
    rate: ask.rate,
  }));
  return {
    order: {
      renter: parameters.renter,
      session: parameters.session ?? zeroAddress,
      meterKey: parameters.meterKey,
      deposit: requiredDeposit(members, seconds),
      maxSeconds: seconds,
      closeWindow: Math.max(...asks.map(({ ask }) => ask.closeWindow)),
      prepay: Math.max(...asks.map(({ ask }) => ask.prepay)),
      maxFeeBps: 50,
      openBy: parameters.nowSeconds + OPEN_SECONDS,
      workload: parameters.workload,
      salt: parameters.salt,
    },
    members,
  };
}
