import { LatentError } from '@latent/protocol';

/** @throws LatentError INTERNAL when `bytes`, called `name`, is not of this length */
export function expectLength(name: string, bytes: Uint8Array, length: number): void {
  expectWithin(name, bytes, length, length);
}

/** @throws LatentError INTERNAL when `bytes`, called `name`, is shorter or longer */
export function expectWithin(name: string, { byteLength }: Uint8Array, least: number, most: number): void {
  if (byteLength >= least && byteLength <= most) return;
  const wanted = least === most ? `${least}` : `${least} to ${most}`;
  throw new LatentError('INTERNAL', `\`${name}\` has ${byteLength} bytes, not ${wanted}.`);
}
