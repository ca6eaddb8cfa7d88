import { systemClock } from '@latent/kit';
import { type ClusterRecord, type FilledJob, jobTaskId } from '@latent/sdk';

export interface NewRecordParameters
  extends Pick<ClusterRecord, 'terms' | 'asks' | 'leaseId' | 'peerSeed' | 'meterSecret'> {
  readonly name: string;
  readonly network: string;
  readonly downWhenDone: boolean;
  readonly job: FilledJob;
  /** Path of the packed files; empty if the job sends none. */
  readonly archive: string;
}

/** The record of a cluster whose lease is about to be opened. */
export function newRecord(from: NewRecordParameters): ClusterRecord {
  const { name, network, downWhenDone, job, archive, terms, asks, leaseId, peerSeed, meterSecret } = from;
  const createdAtMs = systemClock.nowMs();
  return {
    name,
    network,
    createdAtMs,
    phase: 'opening',
    leaseId,
    terms,
    asks: [...asks],
    meterSecret,
    peerSeed,
    job: {
      name: job.name ?? name,
      setup: job.setup ?? '',
      run: job.run,
      ...(job.image === null ? {} : { image: job.image }),
      envs: { ...job.envs },
      gpusPerMachine: job.requirements.devices.kind === 'gpu' ? job.requirements.devices.count : 0,
      outputs: [...job.latent.outputs],
      taskId: jobTaskId({ startedAtMs: createdAtMs, cluster: name, number: 1 }),
      archive,
      network: job.latent.network ?? (job.machines > 1 ? 'if-possible' : 'host'),
    },
    downWhenDone,
    members: terms.members.map(() => ({
      state: 'unknown' as const,
      reason: null,
      job: { kind: 'none' as const },
      address: '',
      countedFromMs: 0,
      seenAtMs: createdAtMs,
      deliveredUnits: 0n,
      cpuSeconds: 0,
      memoryBytes: 0,
    })),
    voucher: null,
    stopRequested: null,
    outputsFolder: null,
    outcome: null,
    transactions: [],
  };
}
