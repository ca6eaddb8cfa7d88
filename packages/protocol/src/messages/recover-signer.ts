import { type Address, bytesToHex, checksumAddress, type Hex, hexToBytes } from 'viem';
import { currentSigning } from '../signing/signing.ts';

const HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0n;

/**
 * Who signed a digest; undefined if nobody did. Only the form that the contracts take counts (low `s`, `v` of 27 or
 * 28): every valid signature has a twin with high `s`, with which a book could make the opening of a lease revert.
 */
export async function recoverSigner(digest: Hex, signature: Hex): Promise<Address | undefined> {
  try {
    const s = BigInt(`0x${signature.slice(66, 130)}`);
    const v = signature.slice(130).toLowerCase();
    if (s > HALF_ORDER || (v !== '1b' && v !== '1c')) return undefined;
    const { secp256k1, keccak256 } = currentSigning();
    const key = await secp256k1.recover(hexToBytes(digest), hexToBytes(signature));
    return key === undefined ? undefined : checksumAddress(bytesToHex(keccak256(key).subarray(12)));
  } catch {
    // What is no hex, or no point of the curve, recovers to nobody.
    return undefined;
  }
}
