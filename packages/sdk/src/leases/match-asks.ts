import { LatentError, type Member, type SignedAsk } from '@latent/protocol';
import { compactSignature } from './settlement.ts';

/** Asks as the escrow takes them. @param asks of these members, in the same order @throws LatentError INTERNAL if one is missing */
export function matchAsks(members: readonly Member[], asks: readonly Pick<SignedAsk, 'ask' | 'signature'>[]) {
  return members.map((member, index) => {
    const signed = asks[index];
    if (signed === undefined) throw new LatentError('INTERNAL', `Member ${index} comes without its ask.`);
    return { ask: signed.ask, devices: member.devices, ...compactSignature(signed.signature) };
  });
}
