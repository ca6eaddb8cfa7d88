import { bytesToHex, hexToBytes, recoverPublicKey } from 'viem';
import { sign } from 'viem/accounts';
import type { Secp256k1 } from './secp256k1.ts';

/** In TypeScript alone, for browsers and for machines without a native one. */
export const pureSecp256k1: Secp256k1 = {
  sign: (digest, secret) => sign({ hash: bytesToHex(digest), privateKey: bytesToHex(secret), to: 'bytes' }),
  recover: async (digest, signature) => {
    try {
      const key = await recoverPublicKey({ hash: digest, signature });
      return hexToBytes(key).subarray(1);
    } catch {
      // Numbers that are no point of the curve recover to nobody.
      return undefined;
    }
  },
};
