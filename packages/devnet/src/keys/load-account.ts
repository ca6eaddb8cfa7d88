import { loadOrCreateSecret } from '@latent/kit';
import { bytesToHex, type PrivateKeyAccount } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

const KEY_BYTES = 32;

/** A secure source. */
export type RandomBytes = (size: number) => Uint8Array;

/**
 * The account whose private key lies in a file: 32 bytes, mode 0600. The key is made, fresh and random, if there is none.
 * @throws kit's SecretFileError if the file can be read by others or holds something else
 */
export async function loadAccount(path: string, randomBytes: RandomBytes): Promise<PrivateKeyAccount> {
  return privateKeyToAccount(bytesToHex(await loadOrCreateSecret(path, KEY_BYTES, randomBytes)));
}
