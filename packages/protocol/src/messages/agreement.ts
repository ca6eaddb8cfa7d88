import { type Address, type Hex, hashTypedData, type LocalAccount } from 'viem';
import { z } from 'zod';
import { LatentError } from '../errors/latent-error.ts';
import {
  type AskId,
  addressSchema,
  askIdSchema,
  type LeaseId,
  leaseIdSchema,
  type PeerKey,
  signatureSchema,
  uintSchema,
} from '../ids.ts';
import { hashFlatMessage } from './digest.ts';
import { type EscrowDomain, escrowDomain, operatorsDomain } from './domain.ts';
import { MAX_MEMBERS } from './order.ts';
import { recoverSigner } from './recover-signer.ts';
import { messageTypes } from './typed-data.ts';

/** An agent's promise to keep `devices` of an ask free for a renter until `heldUntil` (unix seconds). */
export const signedHoldSchema = z.object({
  ask: askIdSchema,
  renter: addressSchema,
  devices: z.int().min(1).max(1024),
  heldUntil: z
    .int()
    .min(0)
    .max(2 ** 40 - 1),
  signature: signatureSchema,
});
export type SignedHold = z.infer<typeof signedHoldSchema>;

export async function signHold(
  account: LocalAccount,
  domain: EscrowDomain,
  hold: { readonly ask: AskId; readonly renter: Address; readonly devices: number; readonly heldUntil: number },
): Promise<SignedHold> {
  return { ...hold, signature: await account.signTypedData(holdTypedData(domain, hold)) };
}

/** @throws LatentError HOLD_BAD_SIGNATURE */
export async function checkHold(domain: EscrowDomain, agentKey: Address, hold: SignedHold): Promise<void> {
  const { signature, ...content } = hold;
  const signer = await recoverSigner(hashFlatMessage(domain, 'Hold', content), signature);
  if (signer !== agentKey) {
    throw new LatentError(
      'HOLD_BAD_SIGNATURE',
      `The hold on ask ${hold.ask} is signed by ${signer ?? 'nobody'}, not by agent ${agentKey}.`,
      {
        details: { ask: hold.ask, agentKey },
      },
    );
  }
}

/** What an agent signs at the end: "for this lease I claim `units` device-seconds and nothing beyond". */
export const signedCloseSchema = z.object({
  leaseId: leaseIdSchema,
  /** Index of the agent's member in the lease: an agent that is in it twice claims for each apart. */
  member: z
    .int()
    .min(0)
    .max(MAX_MEMBERS - 1),
  units: uintSchema(96),
  signature: signatureSchema,
});
export type SignedClose = z.infer<typeof signedCloseSchema>;
export type Claim = Omit<SignedClose, 'signature'>;

/** EIP-712 digest of a close. */
export function hashClose(domain: EscrowDomain, claim: Claim): Hex {
  const { leaseId, member, units } = claim;
  return hashFlatMessage(domain, 'Close', { leaseId, member, units });
}

export async function signClose(account: LocalAccount, domain: EscrowDomain, claim: Claim): Promise<SignedClose> {
  return { ...claim, signature: await account.signTypedData(closeTypedData(domain, claim)) };
}

/** Who signed a close, or undefined if nobody did. */
export async function recoverClose(domain: EscrowDomain, close: SignedClose): Promise<Address | undefined> {
  return recoverSigner(hashClose(domain, close), close.signature);
}

/** The meter key's leave for a transport key to act for the lease. */
export async function signAttach(
  account: LocalAccount,
  domain: EscrowDomain,
  leaseId: LeaseId,
  peerKey: PeerKey,
): Promise<Hex> {
  return account.signTypedData(attachTypedData(domain, leaseId, peerKey));
}

/** @throws LatentError NOT_ALLOWED */
export async function checkAttach(
  domain: EscrowDomain,
  attach: { readonly leaseId: LeaseId; readonly peerKey: PeerKey; readonly meterKey: Address; readonly signature: Hex },
): Promise<void> {
  const { leaseId, peerKey } = attach;
  const signer = await recoverSigner(hashFlatMessage(domain, 'Attach', { leaseId, peerKey }), attach.signature);
  if (signer !== attach.meterKey) {
    throw new LatentError(
      'NOT_ALLOWED',
      `Only the meter key ${attach.meterKey} of lease ${attach.leaseId} can let a key act for it.`,
      {
        details: { leaseId: attach.leaseId },
      },
    );
  }
}

/** An agent's answer to a book's challenge. @param book URL that the agent dialled; its origin counts */
export async function signPresence(
  account: LocalAccount,
  domain: EscrowDomain,
  book: string,
  challenge: Hex,
): Promise<Hex> {
  return account.signTypedData(presenceTypedData(domain, account.address, book, challenge));
}

export async function isPresenceOf(
  domain: EscrowDomain,
  presence: { readonly agentKey: Address; readonly book: string; readonly challenge: Hex; readonly signature: Hex },
): Promise<boolean> {
  const { agentKey, book, challenge, signature } = presence;
  const data = presenceTypedData(domain, agentKey, book, challenge);
  return (await recoverSigner(hashTypedData(data), signature)) === agentKey;
}

/** The agent key's consent to belong to an operator, for `Operators.join`. */
export async function signJoin(
  account: LocalAccount,
  chainId: number,
  operators: Address,
  operator: Address,
): Promise<Hex> {
  return account.signTypedData(joinTypedData(chainId, operators, operator, account.address));
}

/** EIP-712 digest of a join. */
export function hashJoin(chainId: number, operators: Address, operator: Address, agentKey: Address): Hex {
  return hashTypedData(joinTypedData(chainId, operators, operator, agentKey));
}

function holdTypedData(
  domain: EscrowDomain,
  message: { ask: AskId; renter: Address; devices: number; heldUntil: number },
) {
  return { domain: escrowDomain(domain), primaryType: 'Hold' as const, types: { Hold: messageTypes.Hold }, message };
}

function closeTypedData(domain: EscrowDomain, { leaseId, member, units }: Claim) {
  return {
    domain: escrowDomain(domain),
    primaryType: 'Close' as const,
    types: { Close: messageTypes.Close },
    message: { leaseId, member, units },
  };
}

function attachTypedData(domain: EscrowDomain, leaseId: LeaseId, peerKey: PeerKey) {
  return {
    domain: escrowDomain(domain),
    primaryType: 'Attach' as const,
    types: { Attach: messageTypes.Attach },
    message: { leaseId, peerKey },
  };
}

function presenceTypedData(domain: EscrowDomain, agentKey: Address, book: string, challenge: Hex) {
  return {
    domain: escrowDomain(domain),
    primaryType: 'Presence' as const,
    types: { Presence: messageTypes.Presence },
    message: { agentKey, book: new URL(book).origin, challenge },
  };
}

function joinTypedData(chainId: number, operators: Address, operator: Address, agentKey: Address) {
  return {
    domain: operatorsDomain(chainId, operators),
    primaryType: 'Join' as const,
    types: { Join: messageTypes.Join },
    message: { operator, agentKey },
  };
}
