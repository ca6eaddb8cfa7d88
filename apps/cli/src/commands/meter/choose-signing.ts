import { randomBytes } from 'node:crypto';
import { loadNativeSecp256k1 } from '@latent/kit';
import { useSigning } from '@latent/protocol';

/** A meter signs natively where the machine can. */
export async function chooseSigning(): Promise<void> {
  const { loadKernel } = await import('@latent/proof');
  const { hash } = await loadKernel();
  await useSigning({ secp256k1: loadNativeSecp256k1(randomBytes), keccak256: hash });
}
