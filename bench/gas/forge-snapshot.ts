import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type GasCall, gasCalls } from './measure-gas.ts';

const FILE = join(import.meta.dirname, '..', '..', 'contracts', 'snapshots', 'LeaseEscrow.json');
const snapshotSchema = z.record(z.string(), z.string().regex(/^\d+$/).transform(Number));

/** What Foundry measured of a call with so many members, as it is committed; null if it did not. */
export type ForgeSnapshot = (call: GasCall, members: number) => number | null;

export async function readForgeSnapshot(): Promise<ForgeSnapshot> {
  const text = await readFile(FILE, 'utf8').catch(() => '{}');
  const snapshot = snapshotSchema.parse(JSON.parse(text));
  return (call, members) => (gasCalls.includes(call) ? (snapshot[`${call}, members: ${members}`] ?? null) : null);
}
