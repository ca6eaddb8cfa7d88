import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { awaitFree } from './network/await-free.ts';
import { expectToAddUp, readBill } from './network/bill.ts';
import { awaitCluster, awaitRunning, readCluster } from './network/cluster.ts';
import { TICKS, writeJob } from './network/job-file.ts';
import { jobProcesses, killMachine, operatorOf } from './network/operators.ts';
import { isAlive } from './network/own-processes.ts';
import { openNetwork, type TestNetwork } from './network/test-network.ts';
import { waitUntil } from './network/wait-until.ts';

const AGENT = fileURLToPath(new URL('../packages/agent/src/main.ts', import.meta.url));

/** Runs an agent that leaves everything, to its end. @returns its exit status */
async function leaveAs(configFile: string): Promise<unknown> {
  const child = spawn(process.execPath, [AGENT, '--config', configFile, '--leave'], {
    stdio: 'ignore',
    timeout: 60_000,
  });
  const [code] = await once(child, 'exit');
  return code;
}

const linesSchema = z.array(z.object({ rank: z.int(), line: z.string() }));

describe('when an operator’s machine fails', () => {
  let network: TestNetwork;

  beforeAll(async () => {
    network = await openNetwork({ operators: 3 });
  });
  afterAll(() => network.close());
  afterEach(() => network.tidy());
  beforeEach(() => awaitFree(network, 2));

  const unitsOf = (name: string, rank: number) => readCluster(network.home, name)?.record.voucher?.units[rank] ?? 0n;

  async function ticksOf(name: string, rank: number): Promise<readonly string[]> {
    const lines = linesSchema.parse(await network.json(['logs', name, '--rank', String(rank)]));
    return lines.map(({ line }) => line);
  }

  test('an agent that is killed and restarted takes its running job up again, and counts no second twice', async () => {
    const launchedMs = Date.now();
    await network.json(['launch', '-d', writeJob(network.home, { name: 'again', run: TICKS })]);
    const running = await awaitRunning(network.home, 'again');
    const operator = operatorOf(network, running, 1);
    // The one that started all the others.
    const supervisor = jobProcesses(network, operator)[0]?.pid ?? 0;
    await network.faults.killOperator(operator, 'SIGKILL');
    expect(isAlive(supervisor)).toBe(true);
    await network.faults.restartOperator(operator);
    const restartedMs = Date.now();
    const ticks = (await ticksOf('again', 1)).length;
    await awaitCluster(network.home, 'again', 'hears of rank 1 again', ({ members }) => {
      return (members[1]?.seenAtMs ?? 0) > restartedMs && members[1]?.job.kind === 'running';
    });
    const later = await waitUntil('the job goes on', async () => {
      const lines = await ticksOf('again', 1);
      return lines.length > ticks && lines;
    });
    expect(later.filter((line) => line.startsWith('start'))).toHaveLength(1);
    expect(later.slice(1)).toEqual(later.slice(1).map((_, index) => `tick ${index}`));
    expect(isAlive(supervisor)).toBe(true);

    await network.json(['down', 'again']);
    const wallSeconds = BigInt(Math.ceil((Date.now() - launchedMs) / 1000));
    const bill = await readBill(network, 'again');
    expectToAddUp(bill);
    for (const { deviceSeconds } of bill.members) {
      expect(deviceSeconds).toBeGreaterThan(0n);
      expect(deviceSeconds).toBeLessThanOrEqual(wallSeconds + 1n);
    }
  });

  test('an agent that hangs for a while holds up nobody else’s pay, and is not paid ahead for it', async () => {
    await network.json(['launch', '-d', writeJob(network.home, { name: 'hang', run: TICKS })]);
    const running = await awaitRunning(network.home, 'hang');
    const operator = operatorOf(network, running, 0);
    await network.faults.killOperator(operator, 'SIGSTOP');
    try {
      const before = readCluster(network.home, 'hang')?.record;
      const most = before?.voucher?.units[1] ?? 0n;
      await waitUntil('the other rank is paid further', () => unitsOf('hang', 1) > most + 4n);
      const { record } = readCluster(network.home, 'hang') ?? {};
      const view = record?.members[0];
      const seconds = Math.ceil(((view?.seenAtMs ?? 0) - (view?.countedFromMs ?? 0)) / 1000);
      expect(unitsOf('hang', 0)).toBeLessThanOrEqual(BigInt(seconds + (record?.terms.order.prepay ?? 0)));
    } finally {
      await network.faults.killOperator(operator, 'SIGCONT');
    }
    const wokenMs = Date.now();
    const woken = await awaitCluster(network.home, 'hang', 'hears of rank 0 again', ({ members }) => {
      return (members[0]?.seenAtMs ?? 0) > wokenMs;
    });
    expect(woken.phase).toBe('running');
    expect(await network.json(['down', 'hang'])).toMatchObject({ phase: 'ended' });
    expectToAddUp(await readBill(network, 'hang'));
  });

  test('an operator that wants to go leaves with its pay and ends, and the others close without it', async () => {
    await network.json(['launch', '-d', writeJob(network.home, { name: 'leaves', run: TICKS })]);
    const running = await awaitRunning(network.home, 'leaves');
    const operator = operatorOf(network, running, 0);
    await network.faults.killOperator(operator, 'SIGTERM');
    const { configFile } = network.devnet.operators[operator] ?? { configFile: '' };
    expect(await leaveAs(configFile)).toBe(0);
    expect(jobProcesses(network, operator)).toEqual([]);

    const ended = await awaitCluster(network.home, 'leaves', 'has ended', ({ phase }) => phase === 'ended');
    // Whether the meter saw the job's end first, or the agent's.
    expect(['MEMBER_LOST', 'MEMBER_FAILED']).toContain(ended.outcome?.code);
    const bill = await readBill(network, 'leaves');
    expectToAddUp(bill);
    expect(bill.members[0]?.deviceSeconds).toBeGreaterThan(0n);
    expect(bill.transactions.map(({ kind }) => kind)).toEqual(['open', 'change', 'close']);
    await network.faults.restartOperator(operator);
  });

  test('an operator that dies is paid up to then at most, the job ends with a clear error, and the rest comes back', async () => {
    const launch = network.start(['launch', writeJob(network.home, { name: 'dies', run: TICKS })]);
    const running = await awaitRunning(network.home, 'dies');
    const [dead, survivor] = [operatorOf(network, running, 0), operatorOf(network, running, 1)];
    await killMachine(network, dead);
    const diedMs = Date.now();

    const ended = await launch.ended;
    expect(ended.code).toBe(4);
    expect(ended.stderr).toMatch(/MEMBER_LOST: Rank 0 was lost: /);
    expect(ended.stderr).toContain('latent bill dies');
    const { record } = readCluster(network.home, 'dies') ?? {};
    expect(record).toMatchObject({ phase: 'awaiting-window', outcome: { code: 'MEMBER_LOST' } });
    const { prepay, closeWindow } = running.terms.order;
    const secondsAlive = Math.ceil((diedMs - (record?.members[0]?.countedFromMs ?? diedMs)) / 1000);
    expect(unitsOf('dies', 0)).toBeLessThanOrEqual(BigInt(secondsAlive + prepay));
    expect(jobProcesses(network, survivor)).toEqual([]);
    expect((await readBill(network, 'dies')).transactions.map(({ kind }) => kind)).toEqual(['open', 'stop']);

    await network.faults.advanceTime(closeWindow + 1);
    const bill = await waitUntil('the surviving agent finalizes the lease', async () => {
      const latest = await readBill(network, 'dies');
      return latest.refund !== undefined && latest;
    });
    expectToAddUp(bill);
    expect(bill.members[0]?.deviceSeconds).toBeLessThanOrEqual(BigInt(secondsAlive + prepay));
  });

  test('its ask is out of the market, and others serve the next order', async () => {
    const file = writeJob(network.home, { name: 'next', run: 'true' });
    expect(await network.latent(['launch', '--down', file])).toMatchObject({ code: 0 });
  });

  test('a renter whose only operator has died gets the rest of the deposit back itself', async () => {
    const launch = network.start(['launch', writeJob(network.home, { name: 'alone', machines: 1, run: TICKS })]);
    const running = await awaitRunning(network.home, 'alone');
    await killMachine(network, operatorOf(network, running, 0));
    expect(await launch.ended).toMatchObject({ code: 4 });

    const early = await network.latent(['down', 'alone']);
    expect(early.stderr).toMatch(/LEASE_WINDOW_OPEN: alone is stopped, and its closing window passes in \d+ min\./);
    await network.faults.advanceTime(running.terms.order.closeWindow + 1);
    expect(await network.json(['down', 'alone'])).toMatchObject({ phase: 'ended' });
    expectToAddUp(await readBill(network, 'alone'));
  });
});
