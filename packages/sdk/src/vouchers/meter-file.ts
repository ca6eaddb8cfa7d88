import { addressSchema, type EscrowDomain, LatentError } from '@latent/protocol';
import { z } from 'zod';
import { type ClusterRecord, clusterRecordSchema } from '../clusters/cluster-record.ts';

/** More than the largest lease needs. */
export const MAX_METER_FILE_BYTES = 4 * 1024 * 1024;

/**
 * All that somebody else needs to meter a cluster, and nothing that spends: no renter key, nothing of the job but its name.
 * Secret all the same: whoever has it signs vouchers up to the deposit, and can look into the job and stop it.
 */
const meterFileSchema = z.object({
  kind: z.literal('latent meter'),
  version: z.literal(1),
  domain: z.object({ chainId: z.int().min(1), escrow: addressSchema }),
  ...clusterRecordSchema.pick({
    name: true,
    createdAtMs: true,
    leaseId: true,
    terms: true,
    asks: true,
    meterSecret: true,
    peerSeed: true,
    downWhenDone: true,
    members: true,
    voucher: true,
    openedAt: true,
    offline: true,
  }).shape,
});

/** The text of a meter's file, for a cluster that was handed over. */
export function formatMeterFile(record: ClusterRecord, domain: EscrowDomain): string {
  const content: z.input<typeof meterFileSchema> = { kind: 'latent meter', version: 1, domain, ...record };
  // Parsing leaves out everything that the schema does not name.
  const chosen = meterFileSchema.parse(content);
  const text = JSON.stringify(chosen, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value), 2);
  return `${text}\n`;
}

/** @throws LatentError CONFIG_INVALID */
export function parseMeterFile(text: string): { readonly domain: EscrowDomain; readonly record: ClusterRecord } {
  const parsed = meterFileSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new LatentError('CONFIG_INVALID', `This is no meter: ${z.prettifyError(parsed.error)}`, {
      hint: 'It is made by: latent meter export CLUSTER --to FILE',
    });
  }
  const { kind: _kind, version: _version, domain, ...metered } = parsed.data;
  return {
    domain,
    record: {
      ...metered,
      network: '',
      phase: 'running',
      job: {
        name: metered.name,
        setup: '',
        run: '',
        envs: {},
        gpusPerMachine: 0,
        outputs: [],
        taskId: '',
        archive: '',
        network: 'host',
      },
      stopRequested: null,
      // There are none for this meter to fetch.
      outputsFolder: '',
      outcome: null,
      transactions: [],
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The schema says what is wrong with undefined.
    return undefined;
  }
}
