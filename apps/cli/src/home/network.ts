import { randomBytes } from 'node:crypto';
import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { loadOrCreateSecret, SecretFileError } from '@latent/kit';
import { deploymentSchema, LatentError } from '@latent/protocol';
import { bytesToHex } from 'viem';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import { z } from 'zod';
import type { LatentHome } from './latent-home.ts';

const networkSchema = z.strictObject({
  deployment: deploymentSchema,
  books: z.array(z.url()).min(1).max(16),
  /** File with the renter's private key; never the key itself. */
  renterKeyFile: z.string(),
});
export type Network = z.infer<typeof networkSchema>;

/** @throws LatentError CONFIG_INVALID with what to do when there is no such network */
export async function loadNetwork(home: LatentHome, name: string): Promise<Network> {
  const file = home.networkFile(name);
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new LatentError('CONFIG_INVALID', `There is no network "${name}" (${file}).`, {
      hint: 'For a local one: latent devnet up',
      cause,
    });
  });
  const parsed = networkSchema.safeParse(parseJson(text));
  if (!parsed.success) throw new LatentError('CONFIG_INVALID', `${file}: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

export async function saveNetwork(home: LatentHome, name: string, network: Network): Promise<void> {
  const file = home.networkFile(name);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  await writeFile(`${file}.new`, `${JSON.stringify(network, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}

export async function forgetNetwork(home: LatentHome, name: string): Promise<void> {
  await rm(home.networkFile(name), { force: true });
}

/** The renter's key, from its file: 32 bytes, mode 0600. @throws LatentError CONFIG_INVALID; the key itself is in no message */
export async function loadRenter({ renterKeyFile }: Network): Promise<PrivateKeyAccount> {
  try {
    await access(renterKeyFile);
    return privateKeyToAccount(bytesToHex(await loadOrCreateSecret(renterKeyFile, 32, randomBytes)));
  } catch (cause) {
    const why = cause instanceof SecretFileError ? cause.message : `${renterKeyFile} cannot be read`;
    throw new LatentError('CONFIG_INVALID', `The renter's key: ${why}.`, {
      hint: 'It is a file of 32 bytes that only you can read.',
      cause,
    });
  }
}

/** As {@link loadRenter}, but undefined where there is no such file: a session key may do without it. */
export async function findRenter(network: Network): Promise<PrivateKeyAccount | undefined> {
  const isThere = await access(network.renterKeyFile).then(
    () => true,
    () => false,
  );
  return isThere ? loadRenter(network) : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema says what is wrong with undefined.
    return undefined;
  }
}
