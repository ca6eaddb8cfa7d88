import { randomBytes } from 'node:crypto';
import { type AskId, hashAsk, type Resource, rateFromHourlyDown, type SignedAsk, signAsk } from '@latent/protocol';
import { bytesToBigInt } from 'viem';
import { type AgentContext, nowSeconds } from '../agent-context.ts';
import type { Machine } from '../machine/fingerprint.ts';

/** The ask that stands, and those before it that are still valid. */
export interface AskDesk {
  readonly current: { readonly id: AskId; readonly signed: SignedAsk };
  /** Signs a new ask in place of the current one, which stays good until it expires. */
  renew(): Promise<void>;
  /** A valid ask of ours by id. */
  find(id: AskId): SignedAsk | undefined;
  /** Unix milliseconds at which the ask should be signed anew: well before it expires. */
  renewAtMs(): number;
}

/** An ask is renewed when a quarter of its life is left, so that books never serve one about to expire. */
const RENEW_AT = 0.75;
/** Enough to tell an agent's asks apart; each byte more costs its renter 16 gas. */
const SALT_BYTES = 8;

export interface AskDeskOptions {
  readonly context: Pick<AgentContext, 'options' | 'identity' | 'chain' | 'clock'>;
  readonly machine: Machine;
  readonly hints: readonly string[];
  readonly epoch: number;
  readonly isolation: Resource['isolation'];
}

/** Signs the first ask. */
export async function openAskDesk(from: AskDeskOptions): Promise<AskDesk> {
  const { clock } = from.context;
  const asks = new Map<AskId, SignedAsk>();
  const sign = async () => {
    const signed = await makeAsk(from);
    const id = hashAsk(from.context.chain.domain, signed.ask);
    for (const [old, { ask }] of asks) if (ask.validUntil <= nowSeconds(clock)) asks.delete(old);
    asks.set(id, signed);
    return { id, signed };
  };
  let current = await sign();
  return {
    get current() {
      return current;
    },
    renew: async () => {
      current = await sign();
    },
    find: (id) => asks.get(id),
    renewAtMs: () => (current.signed.ask.validUntil - from.context.options.askSeconds * (1 - RENEW_AT)) * 1000,
  };
}

async function makeAsk({ context, machine, hints, epoch, isolation }: AskDeskOptions): Promise<SignedAsk> {
  const { options, identity, chain, clock } = context;
  const resource: Resource = {
    kind: 'cpu',
    model: machine.model,
    deviceMemoryMiB: machine.memoryMiB,
    cpuCores: machine.cpuCores,
    memoryMiB: machine.memoryMiB,
    region: options.region,
    site: options.site,
    isolation,
    peerKey: identity.peer.key,
    hints: [...hints],
  };
  return signAsk(
    identity.agent,
    chain.domain,
    {
      operator: identity.operator.address,
      agentKey: identity.agent.address,
      devices: 1,
      rate: rateFromHourlyDown(options.pricePerDeviceHour),
      maxSeconds: options.maxSeconds,
      closeWindow: options.closeWindow,
      prepay: options.prepay,
      maxFeeBps: options.maxFeeBps,
      validUntil: nowSeconds(clock) + options.askSeconds,
      epoch,
      salt: bytesToBigInt(randomBytes(SALT_BYTES)),
    },
    resource,
  );
}
