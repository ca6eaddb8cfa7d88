import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadOrCreateSecret } from '@latent/kit';
import { hashOrder, type LeaseId, type SignedVoucher, signClose, signVoucher } from '@latent/protocol';
import {
  changeLease,
  checkpointLease,
  closeLease,
  connectChain,
  draftLease,
  formatVoucherFile,
  leaseHistory,
  leaveLease,
  openLease,
  planChange,
  stopLease,
} from '@latent/sdk';
import { bytesToHex, type LocalAccount, numberToHex, zeroHash } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { awaitRunning } from './network/cluster.ts';
import { TICKS, writeJob } from './network/job-file.ts';
import { controlChain, joinAgents } from './network/join-agents.ts';
import { type LyingEndpoint, startLyingEndpoint } from './network/lying-endpoint.ts';
import { type Ended, startLatent } from './network/run-latent.ts';
import { makeHome, openNetwork, type TestNetwork } from './network/test-network.ts';

const checkSchema = z.object({
  outcome: z.string(),
  what: z.string(),
  stated: z.string().optional(),
  recomputed: z.string().optional(),
});
const verdictSchema = z.object({
  verdict: z.string(),
  checks: z.array(checkSchema),
  bill: z.object({
    charged: z.coerce.bigint(),
    refund: z.coerce.bigint().optional(),
    deposit: z.coerce.bigint(),
    members: z.array(z.object({ ended: z.string().optional(), deviceSeconds: z.coerce.bigint() })),
    deposits: z.array(z.object({ kind: z.string(), amount: z.coerce.bigint() })),
  }),
});

/** A lease that was paid in between, got a member more, lost two, was stopped and closed. All of it on the chain, no job. */
async function makeChangedLease(network: TestNetwork): Promise<{ leaseId: LeaseId; voucher: SignedVoucher }> {
  const { deployment, renterKeyFile } = network.devnet;
  const chain = await connectChain(deployment);
  const renter: LocalAccount = privateKeyToAccount(
    bytesToHex(await loadOrCreateSecret(renterKeyFile, 32, randomBytes)),
  );
  const agents = await joinAgents(chain, ['2', '1.5', '0.25']);
  const control = controlChain(chain);
  const pass = async (seconds: number) => {
    await control.increaseTime({ seconds });
    await control.mine({ blocks: 1 });
  };
  const meter = privateKeyToAccount(generatePrivateKey());
  const { timestamp } = await chain.public.getBlock();
  const asks = agents.slice(0, 2).map(({ signed }) => signed);
  const terms = draftLease({
    ...{ domain: chain.domain, asks, seconds: 7_200, devicesPerMachine: 2, renter: renter.address },
    ...{ meterKey: meter.address, nowSeconds: Number(timestamp), workload: zeroHash, salt: 1n },
  });
  const leaseId = hashOrder(chain.domain, terms);
  const voucherFor = (...units: readonly bigint[]) =>
    signVoucher(meter, chain.domain, { leaseId, units: [...units], accrueFrom: units.map(() => 0) });
  const claim = async (member: number, units: bigint) => {
    const signer = agents[member]?.agent;
    if (signer === undefined) throw new Error(`no agent ${member}`);
    return signClose(signer, chain.domain, { leaseId, member, units });
  };
  const now = async () => {
    const { changed, paidUnits } = await leaseHistory(chain, leaseId);
    return { account: renter, terms, changed, paidUnits };
  };
  await openLease(chain, { funding: { kind: 'authorization', renter }, terms, asks });
  await pass(600);
  await checkpointLease(chain, { ...(await now()), voucher: await voucherFor(1_000n, 900n) });
  const third = agents[2];
  if (third === undefined) throw new Error('no third agent');
  const added = await planChange(chain, leaseId, { added: [{ signed: third.signed, devices: 3 }] });
  await changeLease(chain, added, { kind: 'authorization', renter });
  await pass(600);
  await leaveLease(chain, {
    ...(await now()),
    voucher: await voucherFor(2_000n, 1_800n, 1_000n),
    claim: await claim(1, 1_700n),
  });
  const lowered = await planChange(chain, leaseId, { dismissed: [0] });
  await changeLease(chain, lowered, { kind: 'balance', signer: renter });
  await pass(600);
  await stopLease(chain, renter, terms);
  const voucher = await voucherFor(2_300n, 1_800n, 3_000n);
  const closes = await Promise.all([claim(0, 2_200n), claim(1, 1_700n), claim(2, 2_900n)]);
  await closeLease(chain, { ...(await now()), voucher, closes });
  return { leaseId, voucher };
}

describe('a bill that anybody can recompute', () => {
  let network: TestNetwork;
  let elsewhere: string;
  const endpoints: LyingEndpoint[] = [];
  const file = (name: string) => join(elsewhere, name);
  /** On another machine, as it were: a home with nothing in it. */
  const verify = (argv: readonly string[]): Promise<Ended> =>
    startLatent(['bill', ...argv, '--verify', '--deployment', file('deployment.json')], { home: elsewhere }).ended;
  const verdictOf = ({ stdout }: Ended) => verdictSchema.parse(JSON.parse(stdout));

  beforeAll(async () => {
    network = await openNetwork({ operators: 2 });
    elsewhere = makeHome();
    writeFileSync(file('deployment.json'), readFileSync(network.devnet.deploymentFile));
  });
  afterAll(async () => {
    for (const endpoint of endpoints) await endpoint.close();
    await network.close();
  });

  test('a cluster is verified while it runs and after its end, elsewhere with its voucher from a file', async () => {
    await network.json(['launch', '-d', writeJob(network.home, { name: 'ticks', run: TICKS })]);
    const { leaseId } = await awaitRunning(network.home, 'ticks');
    const running = await network.latent(['bill', 'ticks', '--verify']);
    expect(running).toMatchObject({ code: 0, stdout: expect.stringContaining('VERIFIED') });
    await network.json(['down', 'ticks']);
    await network.json(['bill', 'ticks', '--save-voucher', file('voucher.json')]);
    const ended = await verify([leaseId, '--voucher', file('voucher.json'), '--rpc', network.devnet.deployment.rpcUrl]);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toMatch(/✓ payment in block \d+: what was presented with it pays exactly this/);
    expect(ended.stdout).toMatch(/✓ payment in block \d+: no more than the voucher of the file/);
    expect(ended.stdout).toMatch(/✓ opening: the token moved \d+ from the renter to the escrow/);
    expect(ended.stdout).toMatch(/VERIFIED: (\d+) of \1 figures are right\.$/m);
  });

  test('a lease that was changed adds up, every figure of it, and every lie about one is found', async () => {
    const { leaseId, voucher } = await makeChangedLease(network);
    const { deployment } = network.devnet;
    writeFileSync(file('changed.json'), formatVoucherFile(voucher, deployment));
    const given = [leaseId, '--voucher', file('changed.json'), '--json', '--csv', file('bill.csv')];
    const honest = await verify(given);
    const { bill, verdict, checks } = verdictOf(honest);
    expect(checks.filter(({ outcome }) => outcome !== 'right')).toEqual([]);
    expect([honest.code, verdict]).toEqual([0, 'verified']);
    expect(bill.members.map(({ ended, deviceSeconds }) => [ended, deviceSeconds])).toEqual([
      ['dismissed', 2_200n],
      ['left', 1_700n],
      [undefined, 2_900n],
    ]);
    expect(bill.deposits.map(({ kind }) => kind)).toEqual(['opened', 'raised', 'lowered', 'refunded']);
    expect(bill.charged + (bill.refund ?? 0n)).toBe(bill.deposit);
    const rows = readFileSync(file('bill.csv'), 'utf8').trimEnd().split('\r\n');
    expect(rows.map((row) => row.split(',').length)).toEqual(rows.map(() => 16));
    expect(rows.filter((row) => row.startsWith('member,'))).toHaveLength(3);

    const word = (amount: bigint) => numberToHex(amount, { size: 32 }).slice(2);
    const [charged, refund] = [bill.charged, bill.refund ?? 0n];
    for (const [truth, lie] of [
      [word(refund), word(refund - 1n)],
      [word(charged), word(charged + 1n)],
      [word(2_900n), word(2_901n)],
    ] as const) {
      const liar = await startLyingEndpoint(deployment.rpcUrl, truth, lie);
      endpoints.push(liar);
      const believed = await verify([...given, '--rpc', liar.url]);
      expect([believed.code, verdictOf(believed).verdict]).toEqual([1, 'wrong']);
      const both = await verify([leaseId, '--rpc', liar.url, '--rpc', deployment.rpcUrl]);
      expect(both.code).not.toBe(0);
      expect(both.stderr).toContain('CHAIN_DISAGREES');
    }
  });

  test('the wrong figure is named with both values, for people too', async () => {
    const { leaseId } = await makeChangedLease(network);
    const { rpcUrl } = network.devnet.deployment;
    const { bill } = verdictOf(await verify([leaseId, '--json']));
    const word = (amount: bigint) => numberToHex(amount, { size: 32 }).slice(2);
    const refund = bill.refund ?? 0n;
    const liar = await startLyingEndpoint(rpcUrl, word(refund), word(refund - 1n));
    endpoints.push(liar);
    const { code, stdout } = await verify([leaseId, '--rpc', liar.url]);
    expect(code).toBe(1);
    expect(stdout).toContain(
      `✗ closing: refund, deposit less charge: the chain says ${refund - 1n}, recomputed ${refund}`,
    );
    expect(stdout).toMatch(/WRONG: \d+ of \d+ figures/);
  });

  test('a lease that never was, or a chain that is another, is said to be that', async () => {
    const never = await verify([`0x${'1'.repeat(64)}`]);
    expect(never).toMatchObject({ code: 1, stderr: expect.stringContaining('LEASE_NOT_ACTIVE') });
    const other = { ...network.devnet.deployment, chainId: 5 };
    writeFileSync(file('other.json'), JSON.stringify(other));
    const argv = ['bill', `0x${'1'.repeat(64)}`, '--verify', '--deployment', file('other.json')];
    const wrong = await startLatent(argv, { home: elsewhere }).ended;
    expect(wrong.code).not.toBe(0);
    expect(wrong.stderr).toContain('CHAIN_WRONG');
  });
});
