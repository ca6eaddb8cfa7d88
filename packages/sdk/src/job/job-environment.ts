import { type LeaseId, NETWORK_INTERFACE } from '@latent/protocol';

export interface RankEnvironment {
  /** The job's own variables, every value given. */
  readonly envs: Readonly<Record<string, string>>;
  /** 0 to machines - 1. */
  readonly rank: number;
  /** One IP address for each rank, in the order of ranks. */
  readonly addresses: readonly string[];
  /** Whether those are addresses of the cluster's private network. */
  readonly isPrivate: boolean;
  /** 0 for a job without accelerators, as in SkyPilot. */
  readonly gpusPerMachine: number;
  /** See `jobTaskId`; the same on every rank. */
  readonly taskId: string;
  readonly leaseId: LeaseId;
}

/** Variables that `rankEnvironment` sets; a job file may not. */
export const reservedVariables: ReadonlySet<string> = new Set([
  'SKYPILOT_NODE_RANK',
  'SKYPILOT_NODE_IPS',
  'SKYPILOT_NUM_NODES',
  'SKYPILOT_NUM_GPUS_PER_NODE',
  'SKYPILOT_TASK_ID',
  'SKYPILOT_SETUP_NODE_RANK',
  'SKYPILOT_SETUP_NODE_IPS',
  'LATENT_LEASE_ID',
]);

/** Without these gloo, NCCL and torch's TensorPipe take the interface that the host's name leads to, or the first one. */
const privateInterface = {
  GLOO_SOCKET_IFNAME: NETWORK_INTERFACE,
  NCCL_SOCKET_IFNAME: NETWORK_INTERFACE,
  TP_SOCKET_IFNAME: NETWORK_INTERFACE,
};

/**
 * Environment of one rank: the job's own variables and SkyPilot's (source: docs.skypilot.co, "Environment Variables"),
 * those of `setup` and of `run` alike since both run in one environment here. The rendezvous is the first address of
 * `SKYPILOT_NODE_IPS`, as SkyPilot's own examples take it, and `MASTER_ADDR`, as torch's take it. Libraries that choose an interface
 * by themselves are told which one the private network is at. What is not SkyPilot's or ours, the job may set otherwise.
 */
export function rankEnvironment(of: RankEnvironment): Record<string, string> {
  const rank = String(of.rank);
  const addresses = of.addresses.join('\n');
  return {
    MASTER_ADDR: of.addresses[0] ?? '',
    ...(of.isPrivate ? privateInterface : {}),
    ...of.envs,
    SKYPILOT_NODE_RANK: rank,
    SKYPILOT_NODE_IPS: addresses,
    SKYPILOT_NUM_NODES: String(of.addresses.length),
    SKYPILOT_NUM_GPUS_PER_NODE: String(of.gpusPerMachine),
    SKYPILOT_TASK_ID: of.taskId,
    SKYPILOT_SETUP_NODE_RANK: rank,
    SKYPILOT_SETUP_NODE_IPS: addresses,
    LATENT_LEASE_ID: of.leaseId,
  };
}

/**
 * SkyPilot's id of a run, `sky-<UTC time>_<cluster>_<number>`, e.g. `sky-2026-11-22-12-30-05-000042_digits_1`.
 * `number` counts the jobs of a cluster from 1.
 */
export function jobTaskId(of: {
  readonly startedAtMs: number;
  readonly cluster: string;
  readonly number: number;
}): string {
  const [day, time] = new Date(of.startedAtMs).toISOString().replace('Z', '000').split('T');
  return `sky-${day}-${time?.replaceAll(/[:.]/g, '-')}_${of.cluster}_${of.number}`;
}
