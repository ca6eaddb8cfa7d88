import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectDeployer, deployContracts, planDeployment } from '@latent/chain/deploy';
import { isRunning, type ProcessIdentity, systemClock } from '@latent/kit';
import type { Deployment } from '@latent/protocol';
import type { Address, LocalAccount } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterEach, describe, expect, test } from 'vitest';
import { stopProcesses } from '../processes/stop-processes.ts';
import { advanceChainTime } from './chain-time.ts';
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

/** The contracts with terms of their own, deployed by a fresh key. */
async function deploy({ client, rpcUrl }: StartedChain, keys = newKeys()): Promise<Deployment> {
  await giveEther(client, [keys.deployer.address]);
  const chain = connectDeployer(rpcUrl, 31_337);
  const terms = {
    token: undefined,
    treasury: keys.treasury,
    feeBps: 30,
    stakePerAgent: 100_000_000n,
    permit2: undefined,
  };
  const plan = await planDeployment(chain, { chainId: 31_337, deployer: keys.deployer.address, terms });
  return deployContracts(chain, keys.deployer, plan);
}

function newKeys(): { readonly deployer: LocalAccount; readonly treasury: Address } {
  return {
    deployer: privateKeyToAccount(generatePrivateKey()),
    treasury: privateKeyToAccount(generatePrivateKey()).address,
  };
}

describe('the local chain', { timeout: 60_000 }, () => {
  test('keeps contracts and balances over a restart, on the same port', async () => {
    const dataDir = newFolder();
    const before = await startChain(dataDir);
    const keys = newKeys();
    const renter = privateKeyToAccount(generatePrivateKey()).address;
    const deployed = await deploy(before, keys);
    const grants = [{ to: renter, amount: 5_000_000n }];
    await mintDollars(before.client, { token: deployed.token, minter: keys.deployer, grants });
    expect(await stopChain(before)).toBe(0);
    expect(isRunning(before.identity)).toBe(false);

    const after = await startChain(dataDir, before.port);
    expect(after.rpcUrl).toBe(before.rpcUrl);
    expect(await deploy(after, keys)).toMatchObject({ escrow: deployed.escrow, codeHashes: deployed.codeHashes });
    expect(await grantsDue(after.client, deployed.token, [...grants, { to: keys.treasury, amount: 1n }])).toEqual([
      { to: keys.treasury, amount: 1n },
    ]);
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
