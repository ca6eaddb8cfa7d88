import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createChainClient, isOver, readLease } from '@latent/sdk';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { awaitFree } from './network/await-free.ts';
import { expectToAddUp, parseBill, readBill } from './network/bill.ts';
import { awaitCluster, awaitRunning, readCluster } from './network/cluster.ts';
import { TICKS, writeJob } from './network/job-file.ts';
import { jobProcesses } from './network/operators.ts';
import { isAlive, killProcess, processesOf } from './network/own-processes.ts';
import { openNetwork, type TestNetwork } from './network/test-network.ts';
import { waitUntil } from './network/wait-until.ts';

/** More than an opening transaction stays good. */
const OPEN_SECONDS = 180;
const rowSchema = z.object({ record: z.string() });
/** What an agent has stored of a member, as far as it is looked at here. */
const memberSchema = z.object({
  state: z.string(),
  reason: z.string().nullable(),
  index: z.int(),
  deliveredUnits: z.coerce.bigint(),
  voucher: z.object({ units: z.array(z.coerce.bigint()) }),
});

describe('when the renter’s side fails', () => {
  let network: TestNetwork;

  beforeAll(async () => {
    network = await openNetwork({ operators: 2 });
  });
  afterAll(() => network.close());
  afterEach(() => network.tidy());
  beforeEach(() => awaitFree(network, 2));

  const meterOf = (name: string) => readCluster(network.home, name)?.meterPid;
  const metersOf = (name: string) =>
    processesOf(network.home).filter(({ command }) => command.endsWith(`meter run ${name}`));

  /** SIGKILL to the meter, and it has ended. */
  async function killMeter(name: string): Promise<number> {
    const pid = meterOf(name);
    if (pid === undefined) throw new Error(`${name} has no meter`);
    killProcess(pid);
    await waitUntil('the meter has ended', () => !isAlive(pid));
    return pid;
  }

  test('Ctrl-C closes the lease and says what was paid', async () => {
    const launch = network.start(['launch', writeJob(network.home, { name: 'stop', run: TICKS })]);
    await awaitRunning(network.home, 'stop');
    await launch.says('tick 5');
    launch.signal('SIGINT');
    const ended = await launch.ended;
    expect(ended.code).toBe(130);
    expect(ended.stdout).toContain('closing the lease (Ctrl-C)');
    expect(ended.stderr).toMatch(
      /^CANCELLED: stop was closed before its job had ended\. \$0\.\d+ was paid; \$0\.\d+ came back\./m,
    );
    expect(readCluster(network.home, 'stop')?.record.phase).toBe('ended');
    expectToAddUp(await readBill(network, 'stop'));
    expect(metersOf('stop')).toEqual([]);
    expect([...jobProcesses(network, 0), ...jobProcesses(network, 1)]).toEqual([]);
  });

  test('Ctrl-C while the lease is being opened leaves none open', async () => {
    const launch = network.start(['launch', writeJob(network.home, { name: 'early', run: TICKS })]);
    await awaitCluster(network.home, 'early', 'is written down', () => true);
    launch.signal('SIGINT');
    expect(await launch.ended).toMatchObject({ code: 130 });
    await awaitCluster(network.home, 'early', 'is over', isOver);
    expectToAddUp(await readBill(network, 'early'));
  });

  test('a cluster goes on after its launch was killed, and after its meter was killed too', async () => {
    const launch = network.start(['launch', writeJob(network.home, { name: 'orphan', run: TICKS })]);
    await awaitRunning(network.home, 'orphan');
    launch.signal('SIGKILL');
    const killed = await killMeter('orphan');
    // Many at once: still only one of them may start a meter.
    const statuses = await Promise.all([0, 1, 2].map(() => network.latent(['status', 'orphan'])));
    expect(statuses.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(statuses.filter(({ stderr }) => stderr.includes('was started again'))).toHaveLength(1);
    expect(meterOf('orphan')).not.toBe(killed);
    expect(metersOf('orphan')).toHaveLength(1);
    const startedMs = Date.now();
    await awaitCluster(network.home, 'orphan', 'is metered again', ({ members, phase }) => {
      return phase === 'running' && members.every(({ seenAtMs }) => seenAtMs > startedMs);
    });
    expect(await network.json(['down', 'orphan'])).toMatchObject({ phase: 'ended' });
    expectToAddUp(await readBill(network, 'orphan'));
  });

  test('a meter that is killed while it closes the lease is followed by one that finds it closed', async () => {
    await network.json(['launch', '-d', writeJob(network.home, { name: 'closing', run: TICKS })]);
    await awaitRunning(network.home, 'closing');
    const down = network.start(['down', 'closing']);
    await awaitCluster(network.home, 'closing', 'is ending', ({ phase }) => phase === 'ending');
    await killMeter('closing');
    expect(await down.ended).toMatchObject({ code: 0, stdout: expect.stringContaining('closing has ended') });
    expectToAddUp(await readBill(network, 'closing'));
  });

  test('an operator stops when vouchers stop, loses Δ at most, and leaves with its pay, its machine free long before the window', async () => {
    await shortenPatience();
    await network.json(['launch', '-d', writeJob(network.home, { name: 'gone', run: TICKS })]);
    const running = await awaitRunning(network.home, 'gone');
    await killMeter('gone');
    const signed = readCluster(network.home, 'gone')?.record.voucher?.units ?? [];
    const { prepay } = running.terms.order;
    for (const operator of [0, 1]) {
      await waitUntil('its job is ended', () => jobProcesses(network, operator).length === 0);
      const member = lastMember(operator);
      expect(member.reason).toMatch(/^VOUCHER_STOPPED/);
      const covered = member.voucher.units[member.index] ?? 0n;
      expect(member.deliveredUnits).toBeLessThanOrEqual(covered + BigInt(prepay));
      expect(covered).toBeLessThanOrEqual(signed[member.index] ?? 0n);
    }
    // The first leaves, the last closes: no clock is moved for it, and no renter is there.
    const bill = await waitUntil('the agents have left', async () => {
      const latest = await readBill(network, 'gone');
      return latest.refund !== undefined && latest;
    });
    expectToAddUp(bill);
    expect(bill.transactions.map(({ kind }) => kind)).toEqual(['open', 'change', 'close']);
    for (const operator of [0, 1]) {
      const { index, deliveredUnits } = lastMember(operator);
      const paid = bill.members[index]?.deviceSeconds ?? 0n;
      expect(deliveredUnits - paid).toBeLessThanOrEqual(BigInt(prepay));
    }
    await awaitFree(network, 2);
  });

  test('an agent finds a lease that its renter opened and never presented, and frees the machine at its end', async () => {
    const launch = network.start(['launch', writeJob(network.home, { name: 'silent', run: TICKS })]);
    const { leaseId, terms } = await awaitCluster(network.home, 'silent', 'is written down', () => true);
    const chain = createChainClient(network.devnet.deployment);
    await waitUntil('the lease is open', async () => (await readLease(chain, leaseId)).state === 'active');
    launch.signal('SIGKILL');
    const pid = meterOf('silent');
    if (pid !== undefined) killProcess(pid);
    await network.faults.advanceTime(terms.order.maxSeconds + terms.order.closeWindow + 1);
    const bill = await waitUntil('an agent finalizes the lease', async () => {
      const latest = parseBill(await network.json(['bill', leaseId]));
      return latest.refund !== undefined && latest;
    });
    expectToAddUp(bill);
  });

  test('a launch that is killed while it opens the lease leaves nothing stuck', async () => {
    const launch = network.start(['launch', writeJob(network.home, { name: 'half', run: TICKS })]);
    await awaitCluster(network.home, 'half', 'is written down', () => true);
    launch.signal('SIGKILL');
    await launch.ended;
    const down = network.start(['down', 'half']);
    await down.says(/ending|could still open it/);
    // Where the transaction was never sent, nobody has to see its time run out.
    if (!down.printed().includes('ending')) await network.faults.advanceTime(OPEN_SECONDS);
    expect(await down.ended).toMatchObject({ code: 0 });
    expect(readCluster(network.home, 'half')?.record.phase).toBe('ended');
  });

  /** Agents wait a minute for the renter to close, which nobody has to see pass. */
  async function shortenPatience(): Promise<void> {
    for (const [index, { configFile }] of network.devnet.operators.entries()) {
      await network.faults.killOperator(index, 'SIGTERM');
      const config = z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(configFile, 'utf8')));
      writeFileSync(configFile, JSON.stringify({ ...config, patienceSeconds: 1 }), { mode: 0o600 });
      await network.faults.restartOperator(index);
    }
    await awaitFree(network, 2);
  }

  /** What an operator's agent has stored of the newest lease. */
  function lastMember(operator: number): z.infer<typeof memberSchema> {
    const { dataDir } = network.devnet.operators[operator] ?? { dataDir: '' };
    const store = new DatabaseSync(join(dataDir, 'agent.sqlite'), { readOnly: true, timeout: 10_000 });
    try {
      const query = store.prepare('SELECT record FROM members ORDER BY rowid DESC LIMIT 1');
      return memberSchema.parse(JSON.parse(rowSchema.parse(query.get()).record));
    } finally {
      store.close();
    }
  }
});
