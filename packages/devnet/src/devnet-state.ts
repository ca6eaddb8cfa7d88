import { processIdentitySchema } from '@latent/kit';
import { addressSchema, askIdSchema, LatentError, uintSchema } from '@latent/protocol';
import { z } from 'zod';
import { devnetPaths } from './devnet-paths.ts';
import { readJsonFile } from './files/read-json-file.ts';
import { writeFileAtomically } from './files/write-file-atomically.ts';
import { MAX_OPERATORS } from './network-plan.ts';

/** What a network is made with; it cannot be changed later. */
export const devnetSettingsSchema = z.strictObject({
  seed: z.string().max(100),
  operators: z.int().min(1).max(MAX_OPERATORS),
  chainId: z.int().min(1).max(0xffffffff),
  /** Seconds between blocks. */
  blockTimeSeconds: z.int().min(1).max(3_600),
  /** Protocol fee in 1/10,000 of what operators are paid. */
  feeBps: z.int().min(0).max(50),
  /** Base units of the test dollar that an operator stakes per agent. */
  stakePerAgent: uintSchema(128),
});
export type DevnetSettings = z.infer<typeof devnetSettingsSchema>;

/** What an agent says when it is ready. */
export const agentReadySchema = z.object({
  agentKey: addressSchema,
  operator: addressSchema,
  ask: askIdSchema,
  hints: z.array(z.string().max(128)).max(8),
  driver: z.string().max(32),
});
export type AgentReady = z.infer<typeof agentReadySchema>;

export const processKinds = ['chain', 'book', 'operator'] as const;
export type ProcessKind = (typeof processKinds)[number];

const processEntrySchema = z.strictObject({
  name: z.string().max(64),
  kind: z.enum(processKinds),
  /** null before it was started, and after it was stopped. */
  identity: processIdentitySchema.nullable(),
  /** Where the chain or a book is reached; kept over restarts where the port is still free. */
  url: z.url().max(500).nullable(),
  /** Of an operator that has been ready once. */
  agent: agentReadySchema.nullable(),
});
export type ProcessEntry = z.infer<typeof processEntrySchema>;

export const devnetStateSchema = z.strictObject({
  version: z.literal(1),
  settings: devnetSettingsSchema,
  /** How agents isolate jobs, see `Ask.resource.isolation`. */
  isolation: z.enum(['none', 'namespaces']),
  processes: z.array(processEntrySchema).max(MAX_OPERATORS + 16),
});
export type DevnetState = z.infer<typeof devnetStateSchema>;

/**
 * What is known of the network in a folder; undefined if there never was one.
 * @throws LatentError STORE_FAILED
 */
export function readDevnetState(dataDir: string): DevnetState | undefined {
  return readJsonFile(devnetPaths(dataDir).state, devnetStateSchema);
}

export function writeDevnetState(dataDir: string, state: DevnetState): void {
  const text = JSON.stringify(state, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value), 2);
  writeFileAtomically(devnetPaths(dataDir).state, `${text}\n`, 0o600);
}

/**
 * Changes what is known of one process; on the disk when this returns. Reads and writes without a pause in between, so
 * that processes can be started side by side.
 * @throws LatentError INTERNAL if the network has no such process
 */
export function updateProcess(
  dataDir: string,
  name: string,
  changes: Partial<Pick<ProcessEntry, 'identity' | 'url' | 'agent'>>,
): void {
  const state = readDevnetState(dataDir);
  if (state?.processes.some((entry) => entry.name === name) !== true) {
    throw new LatentError('INTERNAL', `The local network in ${dataDir} has no process ${name}.`);
  }
  writeDevnetState(dataDir, {
    ...state,
    processes: state.processes.map((entry) => (entry.name === name ? { ...entry, ...changes } : entry)),
  });
}
