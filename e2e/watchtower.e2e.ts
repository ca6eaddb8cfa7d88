import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { loadOrCreateSecret } from '@latent/kit';
import { leaseEscrowAbi, signedVoucherSchema } from '@latent/protocol';
import { createChainClient, leaseHistory, stopLease } from '@latent/sdk';
import { bytesToHex, createTestClient, http, parseEther } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { awaitFree } from './network/await-free.ts';
import { awaitRunning, readCluster } from './network/cluster.ts';
import { TICKS, writeJob } from './network/job-file.ts';
import { jobProcesses, killMachine } from './network/operators.ts';
import { killProcess } from './network/own-processes.ts';
import { openNetwork, type TestNetwork } from './network/test-network.ts';
import { waitUntil } from './network/wait-until.ts';
import { startDaemon, type WatchDaemon } from './network/watch-daemon.ts';

const rowSchema = z.object({ record: z.string() });
const memberSchema = z.object({ index: z.int(), voucher: z.object({ units: z.array(z.coerce.bigint()) }) });

describe('a watchtower', () => {
  let network: TestNetwork;

  beforeAll(async () => {
    network = await openNetwork({ operators: 2 });
  });
  afterAll(() => network.close());

  test('gets operators paid that are gone when the renter stops, and again after a reorganisation', async () => {
    const chain = createChainClient(network.devnet.deployment);
    const dev = createTestClient({ mode: 'anvil', chain: chain.chain, transport: http(chain.deployment.rpcUrl) });
    const tower = await startDaemon(network, 'watchtower', 'tower', {
      ...{ for: 'all', budgetWeiPerDay: parseEther('1').toString(), patienceSeconds: 2, spreadSeconds: 0 },
      // Some seconds of a CPU are worth less than the gas at any price that ether had.
      unitsPerEther: '1000',
    });
    await dev.setBalance({ address: tower.account, value: parseEther('1') });
    await nameTower(tower);

    await network.json(['launch', '-d', writeJob(network.home, { name: 'away', run: TICKS })]);
    const { leaseId, terms } = await awaitRunning(network.home, 'away');
    await waitUntil('the watchtower has a voucher', async () => (await tower.status()).vouchers > 0);
    // The first is a prepayment; wait for one that was counted.
    const kept = await waitUntil('it has a later one', async () => {
      const units = readCluster(network.home, 'away')?.record.voucher?.units;
      return units?.every((amount) => amount > BigInt(terms.order.prepay)) && units;
    });
    const { meterPid } = readCluster(network.home, 'away') ?? {};
    if (meterPid !== undefined) killProcess(meterPid);
    const signed = readCluster(network.home, 'away')?.record.voucher?.units ?? [];
    for (const operator of [0, 1]) {
      await waitUntil('its job is ended', () => jobProcesses(network, operator).length === 0);
    }
    // What the agents had last is handed on at once; long before they would post it themselves they are gone.
    await waitUntil('the watchtower has the last voucher', () => {
      const [units] = towerUnits(tower);
      const heldBy = lastHeld();
      return heldBy.every((amount, index) => (units?.[index] ?? 0n) >= amount);
    });
    for (const operator of [0, 1]) await killMachine(network, operator);
    const before = await Promise.all(terms.members.map(({ operator }) => balanceOf(operator)));
    await stopLease(chain, await loadRenter(), terms);
    const paid = async () => {
      const { paidUnits, events } = await leaseHistory(chain, leaseId);
      return paidUnits.length > 0 && { paidUnits, block: events.findLast(({ kind }) => kind === 'paid')?.block ?? 0n };
    };
    const { block } = await waitUntil('the watchtower posts the last voucher', paid);
    await dev.setIntervalMining({ interval: 0 });
    const depth = Number((await chain.public.getBlockNumber()) - block) + 1;
    await chain.public.request({ method: 'anvil_reorg' as never, params: [depth, []] as never });
    expect((await leaseHistory(chain, leaseId)).paidUnits).toEqual([]);
    await dev.setIntervalMining({ interval: 1 });
    const { paidUnits } = await waitUntil('it is posted again', paid);
    expect(paidUnits).toEqual(towerUnits(tower)[0]);
    for (const [index, units] of paidUnits.entries()) {
      expect(units).toBeGreaterThanOrEqual(kept[index] ?? 0n);
      expect(units).toBeLessThanOrEqual(signed[index] ?? 0n);
    }
    for (const [index, { operator }] of terms.members.entries()) {
      expect(await balanceOf(operator)).toBeGreaterThan(before[index] ?? 0n);
    }
    const told = await network.json(['watchtower', 'status', '--config', join(tower.dataDir, 'settings.json')]);
    expect(told).toMatchObject({
      kind: 'watchtower',
      deeds: expect.arrayContaining([expect.objectContaining({ deed: 'checkpoint', leases: [leaseId] })]),
    });
    await tower.kill('SIGTERM');

    async function balanceOf(owner: `0x${string}`) {
      return chain.public.readContract({
        ...{ address: chain.deployment.escrow, abi: leaseEscrowAbi, functionName: 'balanceOf', args: [owner] },
      });
    }
  });

  /** What is in its database, as it is what it answers for. */
  function towerUnits({ dataDir }: WatchDaemon): readonly (readonly bigint[])[] {
    const store = new DatabaseSync(join(dataDir, 'watchtower.sqlite'), { readOnly: true, timeout: 10_000 });
    try {
      const rows = z
        .array(z.object({ voucher: z.string() }))
        .parse(store.prepare('SELECT voucher FROM vouchers').all());
      return rows.map(({ voucher }) => signedVoucherSchema.parse(JSON.parse(voucher)).units);
    } finally {
      store.close();
    }
  }

  /** Units of the newest voucher that each agent has stored, by their place in the lease. */
  function lastHeld(): readonly bigint[] {
    const held: bigint[] = [];
    for (const { dataDir } of network.devnet.operators) {
      const store = new DatabaseSync(join(dataDir, 'agent.sqlite'), { readOnly: true, timeout: 10_000 });
      try {
        const { record } = rowSchema.parse(store.prepare('SELECT record FROM members ORDER BY rowid DESC').get());
        const { index, voucher } = memberSchema.parse(JSON.parse(record));
        held[index] = voucher.units[index] ?? 0n;
      } finally {
        store.close();
      }
    }
    return held;
  }

  /** Into the agents' settings. */
  async function nameTower(tower: WatchDaemon): Promise<void> {
    for (const [index, { configFile }] of network.devnet.operators.entries()) {
      await network.faults.killOperator(index, 'SIGTERM');
      const config = z.record(z.string(), z.unknown()).parse(JSON.parse(readFileSync(configFile, 'utf8')));
      const settings = { ...config, watchtowers: [tower.url], handOnSeconds: 2 };
      writeFileSync(configFile, JSON.stringify(settings), { mode: 0o600 });
      await network.faults.restartOperator(index);
    }
    await awaitFree(network, 2);
  }

  async function loadRenter() {
    return privateKeyToAccount(bytesToHex(await loadOrCreateSecret(network.devnet.renterKeyFile, 32, randomBytes)));
  }
});
