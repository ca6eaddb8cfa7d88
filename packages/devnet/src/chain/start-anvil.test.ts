import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isRunning, type ProcessIdentity, systemClock } from '@latent/kit';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterEach, describe, expect, test } from 'vitest';
import { stopProcesses } from '../processes/stop-processes.ts';
import { advanceChainTime } from './chain-time.ts';
import { type DeployContractsOptions, deployContracts } from './deploy-contracts.ts';
import { giveEther } from './give-ether.ts';
import { grantsDue, mintDollars } from './mint-dollars.ts';
import { type StartedChain, startAnvil } from './start-anvil.ts';

const started: ProcessIdentity[] = [];
const folders: string[] = [];

afterEach(async () => {
  await stopProcesses(started.splice(0), { graceMs: 5_000, clock: systemClock });
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'latent-chain-'));
  folders.push(folder);
  return folder;
}

function startChain(dataDir: string, preferredPort?: number): Promise<StartedChain> {
  return startAnvil({
    dataDir,
    logDir: join(dataDir, 'logs'),
    chainId: 31_337,
    blockTimeSeconds: 1,
    ...(preferredPort === undefined ? {} : { preferredPort }),
    onSpawned: (identity) => started.push(identity),
    clock: systemClock,
    signal: new AbortController().signal,
  });
}

function stopChain({ identity }: StartedChain): Promise<number> {
  return stopProcesses([identity], { graceMs: 5_000, clock: systemClock });
}

function newTerms(): DeployContractsOptions {
  return {
    deployer: privateKeyToAccount(generatePrivateKey()),
    treasury: privateKeyToAccount(generatePrivateKey()).address,
    feeBps: 30,
    stakePerAgent: 100_000_000n,
  };
}

describe('the local chain', { timeout: 60_000 }, () => {
  test('keeps contracts and balances over a restart, on the same port', async () => {
    const dataDir = newFolder();
    const before = await startChain(dataDir);
    const terms = newTerms();
    const renter = privateKeyToAccount(generatePrivateKey()).address;
    await giveEther(before.client, [terms.deployer.address]);
    const deployed = await deployContracts(before.client, terms);
    expect(deployed.deployedAtBlock).toBeGreaterThan(0n);
    const grants = [{ to: renter, amount: 5_000_000n }];
    await mintDollars(before.client, { token: deployed.token, minter: terms.deployer, grants });
    expect(await stopChain(before)).toBe(0);
    expect(isRunning(before.identity)).toBe(false);

    const after = await startChain(dataDir, before.port);
    expect(after.rpcUrl).toBe(before.rpcUrl);
    expect(await deployContracts(after.client, terms)).toEqual({ ...deployed, deployedAtBlock: undefined });
    expect(await grantsDue(after.client, deployed.token, [...grants, { to: terms.treasury, amount: 1n }])).toEqual([
      { to: terms.treasury, amount: 1n },
    ]);
  });

  test('deploys what is missing when an earlier deployment was cut short', async () => {
    const { client } = await startChain(newFolder());
    const terms = newTerms();
    await giveEther(client, [terms.deployer.address]);
    const whole = await deployContracts(client, terms);
    const { chain } = client;
    const other = newTerms();
    await giveEther(client, [other.deployer.address]);
    const tokenCode = await client.getTransaction({ blockNumber: whole.deployedAtBlock ?? 0n, index: 0 });
    const hash = await client.sendTransaction({ account: other.deployer, chain, data: tokenCode.input });
    await client.waitForTransactionReceipt({ hash });

    const rest = await deployContracts(client, other);
    expect(rest.deployedAtBlock).toBeGreaterThan(whole.deployedAtBlock ?? 0n);
    expect(rest.token).not.toBe(whole.token);
  });

  test('refuses contracts that were made with other terms, naming the difference', async () => {
    const { client } = await startChain(newFolder());
    const terms = newTerms();
    await giveEther(client, [terms.deployer.address]);
    await deployContracts(client, terms);
    await expect(deployContracts(client, { ...terms, feeBps: 50 })).rejects.toMatchObject({
      code: 'DEVNET_FAILED',
      details: { differing: ['feeBps is 30, not 50'] },
    });
  });

  test('never lets time go back when it restarts after its time was moved', async () => {
    const dataDir = newFolder();
    const before = await startChain(dataDir);
    const moved = await advanceChainTime(before.client, 100_000);
    await stopChain(before);
    const after = await startChain(dataDir);
    await after.client.mine({ blocks: 1 });
    const { timestamp } = await after.client.getBlock();
    expect(timestamp).toBeGreaterThanOrEqual(moved);
    expect(timestamp).toBeLessThan(moved + 60n);
  });

  test('takes another port when the wanted one is in use', async () => {
    const one = await startChain(newFolder());
    const two = await startChain(newFolder(), one.port);
    expect(two.port).not.toBe(one.port);
    expect(await one.client.getChainId()).toBe(31_337);
  });

  test('has no accounts of its own: nobody can spend what keys known to the world hold', async () => {
    const { client } = await startChain(newFolder());
    expect(await client.getAddresses()).toEqual([]);
    expect(await client.getBalance({ address: '0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266' })).toBe(0n);
  });

  test('says what anvil says when its state is damaged, and leaves no process', async () => {
    const dataDir = newFolder();
    writeFileSync(join(dataDir, 'chain.json'), '{"block":');
    const failure = await startChain(dataDir).catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({ code: 'DEVNET_FAILED', details: { process: 'chain' } });
    expect(String(failure)).toContain('chain ended before it was ready (exit code 2)');
    expect(JSON.stringify(failure)).toContain('failed to parse json file');
    expect(started.filter(isRunning)).toEqual([]);
  });
});
