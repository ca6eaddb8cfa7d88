import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { expectToAddUp, readBill } from './network/bill.ts';
import { awaitCluster, awaitRunning, readCluster } from './network/cluster.ts';
import { TICKS, writeJob } from './network/job-file.ts';
import { openNetwork, type TestNetwork } from './network/test-network.ts';
import { waitUntil } from './network/wait-until.ts';

describe('when the chain is down', () => {
  let network: TestNetwork;
  let jobFile: string;

  beforeAll(async () => {
    network = await openNetwork({ operators: 2 });
    jobFile = writeJob(network.home, { name: 'patient', run: TICKS });
  });
  afterAll(() => network.close());

  test('launch waits for it with a message; Ctrl-C then leaves neither lease nor cluster', async () => {
    await network.faults.pauseChain();
    const launch = network.start(['launch', '-d', jobFile]);
    await launch.says('Waiting for the chain');
    launch.signal('SIGINT');
    expect(await launch.ended).toMatchObject({ code: 130, stderr: expect.stringContaining('CANCELLED') });
    expect(readCluster(network.home, 'patient')).toBeUndefined();
  });

  test('launch goes on by itself once the chain is back', async () => {
    const launch = network.start(['launch', '-d', jobFile]);
    await launch.says('Waiting for the chain');
    await network.faults.resumeChain();
    expect(await launch.ended).toMatchObject({ code: 0 });
    await awaitRunning(network.home, 'patient');
  });

  test('a running job goes on without it, and stays paid', async () => {
    await network.faults.pauseChain();
    const signed = readCluster(network.home, 'patient')?.record.voucher?.units[0] ?? 0n;
    await awaitCluster(network.home, 'patient', 'is paid on', ({ voucher }) => (voucher?.units[0] ?? 0n) > signed + 4n);
    const seen = await network.latent(['exec', 'patient', '--', 'echo', 'here']);
    expect(seen).toMatchObject({ code: 0, stdout: 'here\n' });
  });

  test('the lease closes once the chain is back, with nothing lost', async () => {
    const down = network.start(['down', 'patient']);
    await down.says('Waiting for the chain');
    await network.faults.resumeChain();
    expect(await down.ended).toMatchObject({ code: 0, stdout: expect.stringContaining('patient has ended') });
    const bill = await waitUntil('the bill is complete', async () => {
      const latest = await readBill(network, 'patient');
      return latest.refund !== undefined && latest;
    });
    expectToAddUp(bill);
    expect(bill.charged).toBeGreaterThan(0n);
  });
});
