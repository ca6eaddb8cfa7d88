import { readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { parseDollars } from '@latent/protocol';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { awaitFree } from './network/await-free.ts';
import { expectToAddUp, readBill } from './network/bill.ts';
import { readCluster } from './network/cluster.ts';
import { writeJob } from './network/job-file.ts';
import { openNetwork, type TestNetwork } from './network/test-network.ts';

const amount = z.coerce.bigint();
const balanceSchema = z.object({ renter: z.string(), inEscrow: amount, inWallet: amount, etherWei: amount });
const sessionSchema = z.object({
  ...{ name: z.string(), isValid: z.boolean(), key: z.string() },
  ...{ spendLimit: amount, spent: amount, gasMoneyWei: amount },
});

describe('renting with a session key', () => {
  let network: TestNetwork;
  const away = () => join(network.home, 'away.key');
  const takeKey = () => renameSync(network.devnet.renterKeyFile, away());
  const giveKey = () => renameSync(away(), network.devnet.renterKeyFile);
  const balance = async () => balanceSchema.parse(await network.json(['balance', 'show']));
  const sessions = async () => z.array(sessionSchema).parse(await network.json(['session', 'list']));

  beforeAll(async () => {
    network = await openNetwork({ operators: 2 });
  });
  afterAll(() => network?.close());
  beforeEach(() => awaitFree(network, 2));

  test('create says in dollars what it allows before anything is signed, and leaves a key that only its owner can read', async () => {
    const before = await balance();
    const limits = ['--spend', '1', '--per-hour', '2.50', '--devices', '2', '--for', '30d', '--deposit', '0.80'];
    const created = await network.latent(['session', 'create', ...limits, '--name', 'mine']);
    expect(created).toMatchObject({ code: 0, stderr: '' });
    const said = created.stdout;
    expect(said).toMatch(/per hour +\$2\.50 for a device, \$5\.00 for a lease of 2 devices/);
    expect(said).toMatch(/in total +\$1\.00 held or spent/);
    expect(said).toMatch(/your money +\$0\.80 moves from your wallet/);
    expect(said).toMatch(/for gas +0\.\d+ ether/);
    expect(said.indexOf('is ready')).toBeGreaterThan(said.indexOf('for gas'));
    const after = await balance();
    expect([after.inEscrow, before.inWallet - after.inWallet]).toEqual([parseDollars('0.80'), parseDollars('0.80')]);
    const [session] = await sessions();
    expect(session).toMatchObject({ name: 'mine', isValid: true, spendLimit: parseDollars('1'), spent: 0n });
    expect(session?.gasMoneyWei).toBeGreaterThan(0n);
    const folder = join(network.home, 'sessions', 'devnet');
    for (const file of readdirSync(folder)) expect(statSync(join(folder, file)).mode & 0o077).toBe(0);
  });

  test('launch needs neither a prompt nor the renter’s key, and what is not used returns to the balance', async () => {
    const file = writeJob(network.home, { name: 'first', run: 'sleep 3' });
    takeKey();
    try {
      for (const name of ['first', 'second']) {
        await awaitFree(network, 2);
        const before = await balance();
        const launched = await network.latent(['launch', '--down', '--name', name, file]);
        expect(launched, launched.stderr).toMatchObject({ code: 0 });
        expect(launched.stdout).toContain('Session "mine" pays');
        expect(readCluster(network.home, name)?.record.terms.order.session).toBe((await sessions())[0]?.key);
        const bill = await readBill(network, name);
        expectToAddUp(bill);
        expect(bill.charged).toBeGreaterThan(0n);
        const after = await balance();
        expect([after.inEscrow, after.inWallet]).toEqual([before.inEscrow - bill.charged, before.inWallet]);
      }
      const charged = parseDollars('0.80') - (await balance()).inEscrow;
      expect((await sessions())[0]?.spent).toBe(charged);
    } finally {
      giveKey();
    }
  });

  test('a lease beyond a limit is refused by that limit without the renter’s key, and paid by the wallet with it', async () => {
    const file = writeJob(network.home, { name: 'long', run: 'true' });
    const long = ['launch', '--down', '--hours', '3', file];
    takeKey();
    const refused = await network.latent(long);
    giveKey();
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /SESSION_LIMIT: The renter's own key is not here, and session "mine" does not pay: the lease locks \$\d/,
    );
    expect(refused.stderr).toContain('latent session create');
    // The machines were held for the one that was refused.
    await awaitFree(network, 2);
    const paid = await network.latent(long);
    expect(paid, paid.stderr).toMatchObject({ code: 0 });
    expect(paid.stdout).toMatch(
      /^Your wallet pays: session "mine" does not pay: the lease locks \$\d.* is left to spend\.$/m,
    );
    expectToAddUp(await readBill(network, 'long'));
  });

  test('deposit and withdraw say what they move, and refuse what is not there', async () => {
    const before = await balance();
    const deposited = await network.latent(['balance', 'deposit', '2.50']);
    expect(deposited).toMatchObject({ code: 0, stdout: expect.stringMatching(/^\$2\.50 moves into your balance/) });
    expect((await balance()).inEscrow).toBe(before.inEscrow + parseDollars('2.50'));
    for (const argv of [
      ['deposit', '999999'],
      ['withdraw', '999999'],
      ['deposit', '0'],
    ]) {
      const refused = await network.latent(['balance', ...argv]);
      expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('FUNDS_TOO_LOW') });
    }
    expect(await network.latent(['balance', 'deposit', 'much'])).toMatchObject({ code: 2 });
  });

  test('a session that was revoked pays no more, gives its ether back, and its key is gone', async () => {
    const before = await balance();
    expect(await network.json(['session', 'revoke', 'mine'])).toMatchObject({ revoked: true, removed: true });
    expect((await balance()).etherWei).toBeGreaterThan(before.etherWei);
    expect(await sessions()).toEqual([]);
    expect(readdirSync(join(network.home, 'sessions', 'devnet'))).toEqual([]);
    expect(await network.latent(['session', 'revoke', 'mine'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('SESSION_UNKNOWN'),
    });
    await network.json(['balance', 'withdraw']);
    expect(await balance()).toMatchObject({ inEscrow: 0n, inWallet: before.inWallet + before.inEscrow });
  });
});
