import {
  type Candidate,
  checkHold,
  type EscrowDomain,
  LatentError,
  type SignedAsk,
  toLatentError,
} from '@latent/protocol';
import type { Transport } from '@latent/transport';
import type { Address } from 'viem';
import { holdAsk } from '../agents/agent-link.ts';
import type { PlacedOrder } from '../books/place-order.ts';

export interface HeldAsk {
  readonly candidate: Candidate;
  readonly signed: SignedAsk;
}

export interface HoldMembersParameters {
  readonly domain: EscrowDomain;
  readonly transport: Transport;
  readonly order: PlacedOrder;
  readonly machines: number;
  readonly devicesPerMachine: number;
  readonly renter: Address;
  readonly signal: AbortSignal;
  readonly onRefused?: (candidate: Candidate, error: LatentError) => void;
}

/**
 * Asks the chosen agents and the spares for holds, all at once, and takes the cheapest `machines` that agreed. Holds of
 * spares that are not needed lapse by themselves.
 * @throws LatentError ORDER_TOO_FEW_HOLDS
 */
export async function holdMembers(parameters: HoldMembersParameters): Promise<readonly HeldAsk[]> {
  const { order, machines, signal } = parameters;
  const refused: string[] = [];
  const answers = await Promise.all(
    [...order.chosen, ...order.spares].map(async (candidate): Promise<HeldAsk | undefined> => {
      const signed = order.signed.get(candidate.id);
      if (signed === undefined)
        throw new LatentError('INTERNAL', `Ask ${candidate.id} was chosen without its signature.`);
      try {
        await holdOne(parameters, candidate);
        return { candidate, signed };
      } catch (thrown) {
        signal.throwIfAborted();
        const error = toLatentError(thrown);
        refused.push(`${candidate.ask.agentKey}: ${error.message}`);
        parameters.onRefused?.(candidate, error);
        return undefined;
      }
    }),
  );
  const held = answers.filter((answer) => answer !== undefined);
  if (held.length < machines) {
    throw new LatentError(
      'ORDER_TOO_FEW_HOLDS',
      `${held.length} of ${machines} machines would be kept free for this order.`,
      {
        details: { refused },
        hint: 'Others may have taken them just now. Place the order again.',
      },
    );
  }
  return held.slice(0, machines);
}

async function holdOne(parameters: HoldMembersParameters, candidate: Candidate): Promise<void> {
  const { domain, transport, renter, devicesPerMachine, signal } = parameters;
  const peer = { key: candidate.resource.peerKey, hints: candidate.resource.hints };
  const hold = await holdAsk({ transport, peer }, { ask: candidate.id, renter, devices: devicesPerMachine }, signal);
  if (hold.ask !== candidate.id || hold.renter !== renter || hold.devices !== devicesPerMachine) {
    throw new LatentError('HOLD_REFUSED', `Agent ${candidate.ask.agentKey} signed a hold for something else.`, {
      details: { ask: candidate.id },
    });
  }
  await checkHold(domain, candidate.ask.agentKey, hold);
}
