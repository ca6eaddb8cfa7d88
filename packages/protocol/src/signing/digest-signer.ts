import { type Address, bytesToHex, type Hex, hexToBytes } from 'viem';
import { privateKeyToAddress } from 'viem/accounts';
import { currentSigning } from './signing.ts';

/** A plain key that signs digests. A `PrivateKeyAccount` of viem is one too, and slower. */
export interface DigestSigner {
  readonly address: Address;
  /** @returns 65 bytes: r, low s, 27 or 28 */
  sign(parameters: { readonly hash: Hex }): Promise<Hex>;
}

/** Signs with what the process chose (`useSigning`). @throws if the secret is no private key */
export function openDigestSigner(secret: Hex): DigestSigner {
  const bytes = hexToBytes(secret, { size: 32 });
  return {
    address: privateKeyToAddress(secret),
    sign: async ({ hash }) => bytesToHex(await currentSigning().secp256k1.sign(hexToBytes(hash), bytes)),
  };
}
