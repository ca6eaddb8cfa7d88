import { leaseIdSchema } from '@latent/protocol';
import { describe, expect, test } from 'vitest';
import { jobTaskId, rankEnvironment, reservedVariables } from './job-environment.ts';

const leaseId = leaseIdSchema.parse(`0x${'ab'.repeat(32)}`);

describe('the environment of a rank', () => {
  const of = {
    envs: { LEARNING_RATE: '1e-4' },
    rank: 2,
    addresses: ['10.77.0.1', '10.77.0.2', '10.77.0.3'],
    isPrivate: false,
    gpusPerMachine: 8,
    taskId: 'sky-2026-11-22-12-30-05-042000_digits_1',
    leaseId,
  };
  const environment = rankEnvironment(of);

  test("holds SkyPilot's variables beside the job's own", () => {
    expect(environment).toEqual({
      LEARNING_RATE: '1e-4',
      SKYPILOT_NODE_RANK: '2',
      SKYPILOT_NODE_IPS: '10.77.0.1\n10.77.0.2\n10.77.0.3',
      SKYPILOT_NUM_NODES: '3',
      SKYPILOT_NUM_GPUS_PER_NODE: '8',
      SKYPILOT_TASK_ID: 'sky-2026-11-22-12-30-05-042000_digits_1',
      SKYPILOT_SETUP_NODE_RANK: '2',
      SKYPILOT_SETUP_NODE_IPS: '10.77.0.1\n10.77.0.2\n10.77.0.3',
      LATENT_LEASE_ID: leaseId,
      MASTER_ADDR: '10.77.0.1',
    });
  });

  test('sets no variable that a job file could set too', () => {
    const own = Object.keys(environment).filter((name) => name !== 'LEARNING_RATE' && name !== 'MASTER_ADDR');
    expect(new Set(own)).toEqual(reservedVariables);
  });

  test('names the interface of the private network to libraries that choose one, unless the job does', () => {
    const names = ['GLOO_SOCKET_IFNAME', 'NCCL_SOCKET_IFNAME', 'TP_SOCKET_IFNAME'];
    const inPrivate = rankEnvironment({ ...of, isPrivate: true });
    expect(names.map((name) => inPrivate[name])).toEqual(['latent0', 'latent0', 'latent0']);
    expect(names.map((name) => environment[name])).toEqual([undefined, undefined, undefined]);
    const own = { MASTER_ADDR: 'rank-1.cluster', NCCL_SOCKET_IFNAME: 'lo' };
    expect(rankEnvironment({ ...of, isPrivate: true, envs: own })).toMatchObject(own);
  });
});

test('the id of a run has the form that SkyPilot gives it', () => {
  const startedAtMs = Date.UTC(2026, 10, 22, 12, 30, 5, 42);
  expect(jobTaskId({ startedAtMs, cluster: 'digits', number: 1 })).toBe('sky-2026-11-22-12-30-05-042000_digits_1');
});
