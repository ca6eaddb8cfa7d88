import { type Hex, hashStruct, type LocalAccount } from 'viem';
import { z } from 'zod';
import { LatentError } from '../errors/latent-error.ts';
import { type AskId, addressSchema, signatureSchema } from '../ids.ts';
import { type Ask, askSchema, hashAsk } from './ask.ts';
import { type EscrowDomain, escrowDomain } from './domain.ts';
import { recoverSigner } from './recover-signer.ts';
import { messageTypes } from './typed-data.ts';

/** What one device-second of a relay's lease stands for, in bytes: devices are MiB a second. */
export const RELAY_UNIT_BYTES = 1024 * 1024;

/** What a relay's ask offers in place of a machine. A signed one fixes what a unit is. */
export const relayResourceSchema = z.object({
  /** Of the book that relays, as its operator names it. */
  book: z.string().regex(/^[\x21-\x7e]{1,200}$/, 'not a URL'),
  unitBytes: z.literal(RELAY_UNIT_BYTES),
});
export type RelayResource = z.infer<typeof relayResourceSchema>;

/** A book's standing offer to relay for payment, as it travels. */
export const signedRelayAskSchema = z.object({
  ask: askSchema,
  relay: relayResourceSchema,
  signature: signatureSchema,
});
export type SignedRelayAsk = z.infer<typeof signedRelayAskSchema>;

/** The relay key's consent to belong to an operator, as it is presented to `Operators.join`. */
export const relayJoinSchema = z.object({
  operator: addressSchema,
  agentKey: addressSchema,
  signature: signatureSchema,
});
export type RelayJoin = z.infer<typeof relayJoinSchema>;

/** EIP-712 hashStruct of what a relay offers. */
function hashRelayResource(relay: RelayResource): Hex {
  return hashStruct({
    data: relay,
    primaryType: 'RelayResource',
    types: { RelayResource: messageTypes.RelayResource },
  });
}

/** Signs an ask with the relay's key. `ask.resource` is filled in from `relay`. */
export async function signRelayAsk(
  account: LocalAccount,
  domain: EscrowDomain,
  ask: Omit<Ask, 'resource'>,
  relay: RelayResource,
): Promise<SignedRelayAsk> {
  const message: Ask = { ...ask, resource: hashRelayResource(relay) };
  const signature = await account.signTypedData({
    domain: escrowDomain(domain),
    primaryType: 'Ask',
    types: { Ask: messageTypes.Ask },
    message,
  });
  return { ask: message, relay, signature };
}

/**
 * Checks what can be checked without the chain, as `checkSignedAsk` does for machines.
 * @throws LatentError ASK_RESOURCE_MISMATCH, ASK_EXPIRED, ASK_BAD_SIGNATURE
 */
export async function checkRelayAsk(domain: EscrowDomain, signed: SignedRelayAsk, nowSeconds: number): Promise<AskId> {
  const { ask, relay, signature } = signed;
  const id = hashAsk(domain, ask);
  const details = { ask: id, agentKey: ask.agentKey };
  if (hashRelayResource(relay) !== ask.resource) {
    throw new LatentError('ASK_RESOURCE_MISMATCH', `Ask ${id} was signed for something else than this relay.`, {
      details,
    });
  }
  if (ask.validUntil <= nowSeconds) {
    throw new LatentError('ASK_EXPIRED', `Ask ${id} was valid until ${ask.validUntil}; it is ${nowSeconds} now.`, {
      details,
    });
  }
  const signer = await recoverSigner(id, signature);
  if (signer !== ask.agentKey) {
    const text = `Ask ${id} names relay key ${ask.agentKey}, but ${signer ?? 'nobody'} signed it.`;
    throw new LatentError('ASK_BAD_SIGNATURE', text, { details });
  }
  return id;
}
