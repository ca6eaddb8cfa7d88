import { type Hex, hashStruct, type LocalAccount } from 'viem';
import { z } from 'zod';
import { LatentError } from '../errors/latent-error.ts';
import {
  type AskId,
  addressSchema,
  askIdSchema,
  hex32Schema,
  peerKeySchema,
  signatureSchema,
  uintSchema,
} from '../ids.ts';
import { hashFlatMessage } from './digest.ts';
import { type EscrowDomain, escrowDomain } from './domain.ts';
import { recoverSigner } from './recover-signer.ts';
import { messageTypes } from './typed-data.ts';

/** Kinds of device. A machine without a GPU offers its CPU as one device of the kind `cpu`. */
export const deviceKinds = ['gpu', 'cpu'] as const;
export type DeviceKind = (typeof deviceKinds)[number];

/** Text for people that ends up on terminals and web pages: no control or invisible characters. */
export const labelSchema = z
  .string()
  .max(64)
  .regex(/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]*$/u, 'has characters that cannot be shown');

export const regionSchema = z.string().regex(/^[a-z0-9-]{1,32}$/, 'not a region like eu-west');

/** What an ask offers, per machine; names are labels of the operator, only a proof says what a device does. */
export const resourceSchema = z.object({
  kind: z.enum(deviceKinds),
  model: labelSchema,
  /** Memory of one device; for `cpu` the machine's memory on offer. */
  deviceMemoryMiB: z.int().min(0).max(0xffffffff),
  cpuCores: z.int().min(1).max(0xffff),
  memoryMiB: z.int().min(1).max(0xffffffff),
  region: regionSchema,
  site: z.string().regex(/^[a-z0-9-]{1,32}$/, 'not a site name'),
  isolation: z.enum(['none', 'namespaces']),
  peerKey: peerKeySchema,
  hints: z.array(z.string().regex(/^[\x20-\x7e]{0,128}$/, 'not printable ASCII')).max(8),
});
export type Resource = z.infer<typeof resourceSchema>;

/** An agent's standing offer of its machine's devices. Field meanings and units: `ILeaseEscrow.Ask`. */
export const askSchema = z.object({
  operator: addressSchema,
  agentKey: addressSchema,
  resource: hex32Schema,
  devices: z.int().min(1).max(1024),
  /** 10^-9 base units per device-second. */
  rate: uintSchema(64),
  maxSeconds: z
    .int()
    .min(1)
    .max(366 * 86_400),
  closeWindow: z
    .int()
    .min(900)
    .max(7 * 86_400),
  prepay: z.int().min(0).max(60),
  maxFeeBps: z.int().min(0).max(10_000),
  validUntil: z
    .int()
    .min(0)
    .max(2 ** 40 - 1),
  epoch: z.int().min(0).max(0xffffffff),
  salt: uintSchema(256),
});
export type Ask = z.infer<typeof askSchema>;

/** An ask as it travels: what is signed, what `resource` stands for, and the agent's signature. */
export const signedAskSchema = z.object({ ask: askSchema, resource: resourceSchema, signature: signatureSchema });
export type SignedAsk = z.infer<typeof signedAskSchema>;

/** EIP-712 hashStruct of a resource. */
export function hashResource(resource: Resource): Hex {
  return hashStruct({ data: resource, primaryType: 'Resource', types: { Resource: messageTypes.Resource } });
}

/** EIP-712 digest of an ask. */
export function hashAsk(domain: EscrowDomain, ask: Ask): AskId {
  return askIdSchema.parse(hashFlatMessage(domain, 'Ask', ask));
}

/** Signs an ask with the agent's key. `ask.resource` is filled in from `resource`. */
export async function signAsk(
  account: LocalAccount,
  domain: EscrowDomain,
  ask: Omit<Ask, 'resource'>,
  resource: Resource,
): Promise<SignedAsk> {
  const full: Ask = { ...ask, resource: hashResource(resource) };
  return { ask: full, resource, signature: await account.signTypedData(askTypedData(domain, full)) };
}

/**
 * Checks what can be checked without the chain: the resource is the one signed for, the agent key signed it for this
 * escrow and chain, it is not expired at `nowSeconds`.
 * @throws LatentError ASK_RESOURCE_MISMATCH, ASK_EXPIRED, ASK_BAD_SIGNATURE (also when signed for another chain or escrow:
 * a digest does not say which)
 */
export async function checkSignedAsk(domain: EscrowDomain, signed: SignedAsk, nowSeconds: number): Promise<AskId> {
  const { ask, resource, signature } = signed;
  const id = hashAsk(domain, ask);
  if (hashResource(resource) !== ask.resource) {
    throw new LatentError('ASK_RESOURCE_MISMATCH', `Ask ${id} was signed for another resource than the one shown.`, {
      details: { ask: id, agentKey: ask.agentKey },
    });
  }
  if (ask.validUntil <= nowSeconds) {
    throw new LatentError('ASK_EXPIRED', `Ask ${id} was valid until ${ask.validUntil}; it is ${nowSeconds} now.`, {
      details: { ask: id, validUntil: ask.validUntil },
      hint: 'The agent has to sign a new one.',
    });
  }
  const signer = await recoverSigner(id, signature);
  if (signer !== ask.agentKey) {
    throw new LatentError(
      'ASK_BAD_SIGNATURE',
      `Ask ${id} names agent key ${ask.agentKey}, but ${signer ?? 'nobody'} signed it.`,
      {
        details: { ask: id, agentKey: ask.agentKey, chainId: domain.chainId, escrow: domain.escrow },
        hint: 'It may have been signed for another chain or another escrow, or changed after it was signed.',
      },
    );
  }
  return id;
}

function askTypedData(domain: EscrowDomain, ask: Ask) {
  return {
    domain: escrowDomain(domain),
    primaryType: 'Ask' as const,
    types: { Ask: messageTypes.Ask },
    message: ask,
  };
}
