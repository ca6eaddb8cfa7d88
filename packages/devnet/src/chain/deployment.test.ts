import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  connectDeployer,
  creationsOf,
  type DeploymentTerms,
  deployContracts,
  type PlanOptions,
  planDeployment,
  verifyDeployment,
} from '@latent/chain/deploy';
import { type ProcessIdentity, systemClock } from '@latent/kit';
import type { Deployment } from '@latent/protocol';
import { readerOf } from '@latent/sdk';
import { type Address, createWalletClient, http, type LocalAccount, zeroAddress } from 'viem';
import { generatePrivateKey, mnemonicToAccount, privateKeyToAccount } from 'viem/accounts';
import { afterAll, describe, expect, test } from 'vitest';
import { stopProcesses } from '../processes/stop-processes.ts';
import { giveEther } from './give-ether.ts';
import { type StartedChain, startAnvil } from './start-anvil.ts';

const FOREIGN = 4_217;
const started: ProcessIdentity[] = [];
const folders: string[] = [];

afterAll(async () => {
  await stopProcesses(started, { graceMs: 5_000, clock: systemClock });
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function startChain(chainId: number): Promise<StartedChain> {
  const dataDir = mkdtempSync(join(tmpdir(), 'latent-deploy-'));
  folders.push(dataDir);
  return startAnvil({
    ...{ dataDir, logDir: join(dataDir, 'logs'), chainId, blockTimeSeconds: 1, clock: systemClock },
    onSpawned: (identity) => started.push(identity),
    signal: new AbortController().signal,
  });
}

function newKey(): LocalAccount {
  return privateKeyToAccount(generatePrivateKey());
}

function newTerms(token: Address | undefined): PlanOptions['terms'] {
  return { token, treasury: newKey().address, feeBps: 30, stakePerAgent: 100_000_000n, permit2: undefined };
}

/** A chain that is not the local one, with a stablecoin on it, and who deploys. */
async function foreignChain() {
  const one = await startChain(FOREIGN);
  const chain = connectDeployer(one.rpcUrl, FOREIGN);
  const deployer = newKey();
  await giveEther(one.client, [deployer.address]);
  const token = await createToken(one, deployer);
  return { one, chain, deployer, token };
}

/** The test dollar stands for a stablecoin. */
async function createToken({ rpcUrl, client }: StartedChain, account: LocalAccount): Promise<Address> {
  const { creations } = creationsOf({ ...newTerms(undefined), permit2: zeroAddress } satisfies DeploymentTerms);
  const [dollar] = creations;
  if (dollar === undefined) throw new Error('no token');
  const wallet = createWalletClient({
    account,
    chain: connectDeployer(rpcUrl, FOREIGN).chain,
    transport: http(rpcUrl),
  });
  const hash = await wallet.sendTransaction({
    to: '0x4e59b44847b379578588920cA78FbF26c0B4956C',
    data: dollar.data,
    gas: dollar.gas,
  });
  await client.waitForTransactionReceipt({ hash });
  return dollar.address;
}

function planFor(deployer: LocalAccount, terms: PlanOptions['terms'], chainId: number): PlanOptions {
  return { chainId, deployer: deployer.address, terms };
}

describe('a deployment to any chain', { timeout: 120_000 }, () => {
  const ready = foreignChain();
  const wrongOf = async (deployment: Deployment) => {
    const { chain } = await ready;
    const { checks } = await verifyDeployment(readerOf(chain), deployment);
    return checks.filter(({ outcome }) => outcome === 'wrong').map(({ what }) => what);
  };

  test('is made, verifies itself, is found again, and goes on where it was killed', async () => {
    const { one, chain, deployer, token } = await ready;
    const terms = newTerms(token);
    const plan = await planDeployment(chain, planFor(deployer, terms, FOREIGN));
    expect(plan.creations.map(({ name }) => name)).toEqual(['operators', 'extension', 'escrow']);
    expect(plan.weiUp).toBe(plan.gasUp * plan.weiPerGas);

    // Killed after the first was sent: what it had sent is mined, the rest never was.
    const whole = [...plan.creations];
    await deployContracts(chain, deployer, { ...plan, creations: whole.slice(0, 1) }).catch(() => undefined);
    const rest = await planDeployment(chain, planFor(deployer, terms, FOREIGN));
    expect(rest.there).toEqual(['operators']);
    expect(rest.addresses).toEqual(plan.addresses);
    const deployed = await deployContracts(chain, deployer, rest);
    expect(deployed).toMatchObject({ chainId: FOREIGN, ...plan.addresses, permit2: zeroAddress });
    const spent = await one.client.getTransactionCount({ address: deployer.address });

    // By anybody else too, and nothing is sent for it.
    const other = newKey();
    const again = await planDeployment(chain, planFor(other, terms, FOREIGN));
    expect(again.creations).toEqual([]);
    expect(await deployContracts(chain, other, again)).toEqual(deployed);
    expect(await one.client.getTransactionCount({ address: deployer.address })).toBe(spent);
    expect(await wrongOf(deployed)).toEqual([]);
    const block = BigInt(deployed.deployedAtBlock);
    expect(await one.client.getCode({ address: deployed.escrow, blockNumber: block })).toBeDefined();
    expect(await one.client.getCode({ address: deployed.escrow, blockNumber: block - 1n })).toBeUndefined();
  });

  test('finds other code at the address, another fee, and every other term that differs', async () => {
    const { one, chain, deployer, token } = await ready;
    const terms = newTerms(token);
    const plan = await planDeployment(chain, planFor(deployer, terms, FOREIGN));
    const deployed = await deployContracts(chain, deployer, plan);
    const dearer = await planDeployment(chain, planFor(deployer, { ...terms, feeBps: 50 }, FOREIGN));
    const other = await deployContracts(chain, deployer, dearer);

    expect(await wrongOf({ ...deployed, escrow: other.escrow })).toContain('escrow: fee in 1/10,000');
    if (deployed.terms === undefined || other.terms === undefined) throw new Error('no terms');
    expect(await wrongOf({ ...deployed, terms: { ...deployed.terms, feeBps: 29 } })).toEqual([
      'escrow: fee in 1/10,000',
    ]);
    const treasury = newKey().address;
    expect(await wrongOf({ ...deployed, terms: { ...deployed.terms, treasury } })).toEqual(['escrow: treasury']);
    expect(await wrongOf({ ...deployed, operators: other.escrow })).toContain('the contracts are there');
    expect(await wrongOf({ ...deployed, chainId: 1 })).toEqual(['chain id']);

    // One byte of the extension, in no immutable: everything it says of itself stays as it was.
    const code = await one.client.getCode({ address: plan.addresses.extension });
    if (code === undefined) throw new Error('no code');
    const at = code.length - 6;
    const bytecode =
      `0x${code.slice(2, at)}${code.slice(at, at + 1) === '0' ? '1' : '0'}${code.slice(at + 1)}` as const;
    await one.client.setCode({ address: plan.addresses.extension, bytecode });
    expect(await wrongOf(deployed)).toEqual(['extension: code, immutables aside', 'extension: hash of its code']);
    await one.client.setCode({ address: plan.addresses.extension, bytecode: '0x' });
    expect(await wrongOf(deployed)).not.toEqual([]);
  });

  test('refuses what nobody should deploy, before anything is sent', async () => {
    const { chain, deployer, token } = await ready;
    const terms = newTerms(token);
    const refused = (options: Partial<PlanOptions>) =>
      planDeployment(chain, { ...planFor(deployer, terms, FOREIGN), ...options }).then(
        () => 'planned',
        (error: { code: string; message: string }) => `${error.code} ${error.message}`,
      );
    const known = mnemonicToAccount('test test test test test test test test test test test junk').address;
    expect(await refused({ deployer: known })).toMatch(/^CONFIG_INVALID Everybody has the key/);
    expect(await refused({ terms: { ...terms, treasury: known } })).toMatch(/^CONFIG_INVALID Everybody has the key/);
    expect(await refused({ terms: { ...terms, treasury: zeroAddress } })).toMatch(/zero address/);
    expect(await refused({ terms: { ...terms, treasury: deployer.address } })).toMatch(/the deployer itself/);
    expect(await refused({ terms: { ...terms, token: undefined } })).toMatch(/only for a local chain/);
    expect(await refused({ terms: { ...terms, token: newKey().address } })).toMatch(/There is no contract/);
    expect(await refused({ terms: { ...terms, feeBps: 51 } })).toMatch(/A fee of 51/);
    expect(await refused({ chainId: 8_453 })).toMatch(/^CHAIN_WRONG .* chain 4217, not chain 8453/);
  });

  test('refuses to send with too little ether, naming how much it may take', async () => {
    const { chain, token } = await ready;
    const poor = newKey();
    const plan = await planDeployment(chain, planFor(poor, newTerms(token), FOREIGN));
    await expect(deployContracts(chain, poor, plan)).rejects.toMatchObject({
      code: 'FUNDS_TOO_LOW',
      message: expect.stringContaining(String(plan.weiUp)),
    });
  });
});
