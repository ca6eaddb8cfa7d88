import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { loadOrCreateSecret, SecretFileError } from '@latent/kit';
import { addressSchema, LatentError } from '@latent/protocol';
import { type Address, bytesToHex } from 'viem';
import { type PrivateKeyAccount, privateKeyToAccount } from 'viem/accounts';
import { z } from 'zod';
import type { LatentHome } from './latent-home.ts';

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

const noteSchema = z.strictObject({
  renter: addressSchema,
  key: addressSchema,
  /** Of the escrow that the key is for: a network of the same name may be another one later. */
  escrow: addressSchema,
  chainId: z.int(),
  createdAtMs: z.int(),
});
type Note = z.infer<typeof noteSchema>;

/** A session key that is kept here. What it may do is on the chain. */
export interface StoredSession extends Note {
  readonly name: string;
  readonly account: PrivateKeyAccount;
}

/** Where a session is for. */
export interface SessionPlace {
  readonly network: string;
  readonly escrow: Address;
  readonly chainId: number;
}

/**
 * Makes a session key and writes it down, with mode 0600, before anybody grants it anything.
 * @throws LatentError CONFIG_INVALID (no name, or one that is taken)
 */
export async function createSession(
  home: LatentHome,
  place: SessionPlace,
  given: { readonly name: string; readonly renter: Address; readonly createdAtMs: number },
): Promise<StoredSession> {
  const { name, renter, createdAtMs } = given;
  if (!NAME.test(name)) {
    throw new LatentError('CONFIG_INVALID', `"${name.slice(0, 80)}" is not a name for a session.`, {
      hint: 'Use lower-case letters, digits and dashes.',
    });
  }
  const folder = home.sessionsFolder(place.network);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const account = await loadKey(join(folder, `${name}.key`));
  const { escrow, chainId } = place;
  const note: Note = { renter, key: account.address, escrow, chainId, createdAtMs };
  const file = join(folder, `${name}.json`);
  await writeFile(`${file}.new`, `${JSON.stringify(note, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return { ...note, name, account };
}

/** The sessions kept here for this escrow, the newest first. @throws LatentError CONFIG_INVALID (a file that cannot be read) */
export async function listSessions(home: LatentHome, place: SessionPlace): Promise<readonly StoredSession[]> {
  const folder = home.sessionsFolder(place.network);
  const files = await readdir(folder).catch(() => []);
  const names = files.flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -'.json'.length)] : []));
  const sessions = await Promise.all(names.map((name) => readSessionFile(folder, name)));
  return sessions
    .filter(({ escrow, chainId }) => escrow === place.escrow && chainId === place.chainId)
    .sort((a, b) => b.createdAtMs - a.createdAtMs);
}

/** One of them by its name or its key's address. @throws LatentError SESSION_UNKNOWN */
export async function findSession(home: LatentHome, place: SessionPlace, given: string): Promise<StoredSession> {
  const all = await listSessions(home, place);
  const found = all.find(({ name, key }) => name === given || key.toLowerCase() === given.toLowerCase());
  if (found !== undefined) return found;
  throw new LatentError('SESSION_UNKNOWN', `There is no session "${given.slice(0, 80)}" here.`, {
    hint:
      all.length === 0 ? 'Make one: latent session create' : `There are: ${all.map(({ name }) => name).join(', ')}.`,
  });
}

/** Removes a session and its key for good. */
export async function forgetSession(home: LatentHome, network: string, name: string): Promise<void> {
  const folder = home.sessionsFolder(network);
  // The key last: a note without its key would be in the way of every command.
  await rm(join(folder, `${name}.json`), { force: true });
  await rm(join(folder, `${name}.key`), { force: true });
}

async function readSessionFile(folder: string, name: string): Promise<StoredSession> {
  const file = join(folder, `${name}.json`);
  const parsed = noteSchema.safeParse(parseJson(await readFile(file, 'utf8')));
  if (!parsed.success) throw new LatentError('CONFIG_INVALID', `${file}: ${z.prettifyError(parsed.error)}`);
  const account = await loadKey(join(folder, `${name}.key`));
  if (account.address === parsed.data.key) return { ...parsed.data, name, account };
  throw new LatentError('CONFIG_INVALID', `${file} is for the key ${parsed.data.key}, which is not beside it.`, {
    hint: `Remove ${file}, or put back its key.`,
  });
}

async function loadKey(file: string): Promise<PrivateKeyAccount> {
  try {
    return privateKeyToAccount(bytesToHex(await loadOrCreateSecret(file, 32, randomBytes)));
  } catch (cause) {
    const why = cause instanceof SecretFileError ? cause.message : `${file} cannot be read`;
    throw new LatentError('CONFIG_INVALID', `A session key: ${why}.`, {
      hint: 'It is a file of 32 bytes that only you can read.',
      cause,
    });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema says what is wrong with undefined.
    return undefined;
  }
}
