import { copyFileSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { isOver } from '@latent/sdk';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { awaitFree } from './network/await-free.ts';
import { expectToAddUp, readBill } from './network/bill.ts';
import { awaitCluster, awaitRunning, readCluster } from './network/cluster.ts';
import { TICKS, writeJob } from './network/job-file.ts';
import { isAlive, killProcess, processesOf } from './network/own-processes.ts';
import { type RunningCommand, startLatent } from './network/run-latent.ts';
import { openNetwork, type TestNetwork } from './network/test-network.ts';
import { waitUntil } from './network/wait-until.ts';

const rowSchema = z.object({ record: z.string() });
/** What an agent has stored of a member, as far as it is looked at here. */
const memberSchema = z.object({
  state: z.string(),
  index: z.int(),
  lastSeenMs: z.int(),
  voucher: z.object({ units: z.array(z.coerce.bigint()) }),
});
const planSchema = z.object({
  untilMs: z.int(),
  mostPerHour: z.coerce.bigint(),
  mostFromNow: z.coerce.bigint(),
  mostInAll: z.coerce.bigint(),
  handed: z.array(z.int()),
});

describe('the meter', () => {
  let network: TestNetwork;
  const elsewhere: RunningCommand[] = [];

  beforeAll(async () => {
    network = await openNetwork({ operators: 2 });
  });
  afterAll(() => network.close());
  afterEach(async () => {
    for (const meter of elsewhere.splice(0)) meter.signal('SIGKILL');
    await network.tidy();
  });
  beforeEach(() => awaitFree(network, 2));

  const launch = async (name: string) => {
    await network.json(['launch', '-d', writeJob(network.home, { name, run: TICKS })]);
    return awaitRunning(network.home, name);
  };
  const recordOf = (name: string) => {
    const stored = readCluster(network.home, name);
    if (stored === undefined) throw new Error(`${name} is not there`);
    return stored.record;
  };
  const signed = (name: string) => recordOf(name).voucher?.units ?? [];
  const metersOf = (name: string) =>
    processesOf(network.home).filter(({ command }) => command.endsWith(`meter run ${name}`));

  async function killMeter(name: string): Promise<void> {
    const pid = readCluster(network.home, name)?.meterPid;
    if (pid === undefined) throw new Error(`${name} has no meter`);
    killProcess(pid);
    await waitUntil('the meter has ended', () => !isAlive(pid));
  }

  /** What both agents have stored of the newest lease. */
  function members(): readonly z.infer<typeof memberSchema>[] {
    return network.devnet.operators.map(({ dataDir }) => {
      const store = new DatabaseSync(join(dataDir, 'agent.sqlite'), { readOnly: true, timeout: 10_000 });
      try {
        const query = store.prepare('SELECT record FROM members ORDER BY rowid DESC LIMIT 1');
        return memberSchema.parse(JSON.parse(rowSchema.parse(query.get()).record));
      } finally {
        store.close();
      }
    });
  }

  /** Every agent has run its member beyond what any voucher of before `sinceMs` covers, and noted so. */
  const awaitBeyondPrepay = (sinceMs: number, prepay: number) =>
    waitUntil('agents go on beyond the prepay', () =>
      members().every(({ state, lastSeenMs }) => state === 'running' && lastSeenMs > sinceMs + (prepay + 2) * 1000),
    );

  test('pays a cluster ahead: it goes on without any meter, and costs what was delivered', async () => {
    const { terms, openedAt } = await launch('away');
    const plan = planSchema.parse(await network.json(['meter', 'offline', 'away', '--for', '8h']));
    expect(plan.untilMs).toBe(((openedAt ?? 0) + terms.order.maxSeconds) * 1000);
    expect(plan.mostInAll).toBeLessThanOrEqual(terms.order.deposit);
    expect(plan.mostFromNow).toBeLessThanOrEqual(plan.mostInAll);
    expect(plan.mostPerHour).toBeGreaterThan(plan.mostFromNow);
    expect(plan.handed).toEqual([0, 1]);
    const large = signed('away');
    await killMeter('away');
    await awaitBeyondPrepay(Date.now(), terms.order.prepay);
    expect(metersOf('away')).toEqual([]);
    for (const { index, voucher } of members()) expect(voucher.units[index]).toBe(large[index]);
    expect(await network.latent(['status', 'away'])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('paid ahead until'),
    });
    const backMs = Date.now();
    await awaitCluster(network.home, 'away', 'is metered again', ({ members: views }) =>
      views.every(({ seenAtMs }) => seenAtMs > backMs),
    );
    expect(signed('away')).toEqual(large);
    expect(await network.json(['down', 'away'])).toMatchObject({ phase: 'ended' });
    const bill = await readBill(network, 'away');
    expectToAddUp(bill);
    for (const [rank, { deviceSeconds }] of bill.members.entries()) {
      expect(deviceSeconds).toBeLessThan((large[rank] ?? 0n) / 2n);
    }
  });

  test('is handed over: another machine pays on, also after it was killed, and the renter closes', async () => {
    await launch('lent');
    const file = join(network.home, 'lent.meter');
    await network.json(['meter', 'export', 'lent', '--to', file, '--within', '20s']);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(metersOf('lent')).toEqual([]);
    expect(await network.latent(['meter', 'export', 'lent', '--to', `${file}.2`])).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('CLUSTER_HANDED_OVER'),
    });
    const home = join(network.home, 'elsewhere');
    mkdirSync(home);
    const startElsewhere = () => {
      const meter = startLatent(['meter', 'run', '--file', file], { home });
      elsewhere.push(meter);
      return meter;
    };
    const last = signed('lent');
    const first = startElsewhere();
    const beyond = (units: readonly bigint[]) =>
      waitUntil('the other meter pays', () =>
        members().every(({ index, voucher }) => (voucher.units[index] ?? 0n) > (units[index] ?? 0n) + 5n),
      );
    await beyond(last);
    first.signal('SIGKILL');
    await first.ended;
    const before = members();
    startElsewhere();
    await beyond(before.map((_, rank) => before.find(({ index }) => index === rank)?.voucher.units[rank] ?? 0n));
    const status = await network.latent(['status', 'lent']);
    expect(status.stdout).toContain('its meter was handed over');
    expect(metersOf('lent')).toEqual([]);
    expect(signed('lent')).toEqual(last);
    expect(await network.json(['down', 'lent'])).toMatchObject({ phase: 'ended' });
    const bill = await readBill(network, 'lent');
    expectToAddUp(bill);
    for (const [rank, { deviceSeconds }] of bill.members.entries()) {
      expect(deviceSeconds).toBeGreaterThan(last[rank] ?? 0n);
    }
    const [, again] = elsewhere;
    expect((await again?.ended)?.stderr).toMatch(/^MEMBER_(LOST|FAILED)/m);
  });

  test('goes on from what agents hold when its records were put back to an old copy', async () => {
    await launch('backup');
    const clusters = join(network.home, 'clusters.sqlite');
    const copy = join(network.home, 'copy.sqlite');
    const store = new DatabaseSync(clusters, { timeout: 10_000 });
    store.exec(`VACUUM INTO '${copy}'`);
    store.close();
    const old = signed('backup');
    // Paid ahead, so that however long the rest takes, the agents go on.
    await network.json(['meter', 'offline', 'backup', '--for', '10m']);
    await killMeter('backup');
    const held = members();
    for (const suffix of ['-wal', '-shm']) rmSync(`${clusters}${suffix}`, { force: true });
    copyFileSync(copy, clusters);
    expect(signed('backup')).toEqual(old);
    await network.json(['status', 'backup']);
    await awaitCluster(network.home, 'backup', 'has caught up', (record) =>
      held.every(({ index, voucher }) => (record.voucher?.units[index] ?? 0n) >= (voucher.units[index] ?? 0n)),
    );
    const down = await network.latent(['down', 'backup']);
    expect(down).toMatchObject({ code: 0, stdout: expect.not.stringContaining('did not take its voucher') });
    expect(isOver(recordOf('backup'))).toBe(true);
    expectToAddUp(await readBill(network, 'backup'));
  });
});
