import {
  hashSessionGrant,
  LatentError,
  leaseEscrowAbi,
  type SessionGrant,
  sessionGrantSchema,
  signSessionGrant,
} from '@latent/protocol';
import type { Address, LocalAccount } from 'viem';
import { authorizeTransfer } from '../chain/authorize-transfer.ts';
import type { ChainClient } from '../chain/connect-chain.ts';
import { readNonce } from '../chain/read-escrow.ts';
import { encodeCall, type SentTransaction, sendTransaction } from '../chain/send-transaction.ts';

export interface GrantSessionParameters {
  readonly renter: LocalAccount;
  readonly limits: Pick<SessionGrant, 'key' | 'spendLimit' | 'maxRate' | 'maxDevices' | 'validUntil'>;
  /** Base units to move into the renter's balance with the same signature; 0: the balance holds enough. */
  readonly deposit: bigint;
  /** Unix seconds until when the transaction is good. */
  readonly grantBy: number;
  /** Pays the gas; the renter unless given. */
  readonly sender?: LocalAccount | undefined;
}

/**
 * Lets a key open leases from the renter's balance, within limits, and funds that balance: the renter signs once. With a
 * deposit that signature is an ERC-3009 authorization whose nonce is the grant's digest; without, the grant itself, or the
 * renter's call. What the key has spent stays counted.
 * @throws LatentError CHAIN_REVERTED (InvalidAccountNonce: something else was signed meanwhile), CHAIN_UNREACHABLE, FUNDS_TOO_LOW
 */
export async function grantSession(
  client: ChainClient,
  { renter, limits, deposit, grantBy, sender = renter }: GrantSessionParameters,
): Promise<SentTransaction> {
  const nonce = await readNonce(client, renter.address);
  const parsed = sessionGrantSchema.safeParse({ ...limits, renter: renter.address, nonce });
  if (!parsed.success) throw new LatentError('CONFIG_INVALID', 'A limit of the session is out of range.');
  const grant = parsed.data;
  const data = await encodeGrant(client, {
    renter,
    grant,
    deposit,
    grantBy,
    isCaller: sender.address === renter.address,
  });
  return sendTransaction(client, sender, { to: client.deployment.escrow, data });
}

async function encodeGrant(
  client: ChainClient,
  from: Pick<GrantSessionParameters, 'renter' | 'deposit' | 'grantBy'> & {
    readonly grant: SessionGrant;
    readonly isCaller: boolean;
  },
) {
  const { renter, grant, deposit, grantBy, isCaller } = from;
  if (deposit > 0n) {
    const nonce = hashSessionGrant(client.domain, grant);
    const authorization = await authorizeTransfer(client, renter, { amount: deposit, nonce, validBefore: grantBy });
    return encodeCall({
      abi: leaseEscrowAbi,
      functionName: 'grantSessionWithAuthorization',
      args: [grant, deposit, ...authorization],
    });
  }
  const signature = isCaller ? '0x' : await signSessionGrant(renter, client.domain, grant);
  return encodeCall({ abi: leaseEscrowAbi, functionName: 'grantSession', args: [grant, signature] });
}

/** Ends a key's leave at once. Its open leases go on. @throws LatentError those of `sendTransaction` */
export async function revokeSession(client: ChainClient, renter: LocalAccount, key: Address): Promise<SentTransaction> {
  const data = encodeCall({ abi: leaseEscrowAbi, functionName: 'revokeSession', args: [key] });
  return sendTransaction(client, renter, { to: client.deployment.escrow, data });
}
