import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deploymentSchema } from '@latent/protocol';
import { connectChain } from '@latent/sdk';
import { bytesToHex, parseEther } from 'viem';
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { controlChain } from './network/join-agents.ts';
import { type Ended, startLatent } from './network/run-latent.ts';
import { openNetwork, type TestNetwork } from './network/test-network.ts';

const GUIDE = new URL('../docs/guide/deploying.md', import.meta.url);

describe('the guide to deploying', () => {
  let network: TestNetwork;
  let steps: readonly string[];
  const at = (name: string) => join(network.home, name);
  /** A line of the guide, with its files in the folder of the test. */
  const run = (line: string): Promise<Ended> => {
    const words = line.split(' ').map((word) => (/^deploy(er|ment)\.(key|json)$/.test(word) ? at(word) : word));
    return startLatent(words.slice(1), { home: network.home }).ended;
  };
  const giveEther = async () => {
    const address = privateKeyToAddress(bytesToHex(readFileSync(at('deployer.key'))));
    const chain = await connectChain(network.devnet.deployment);
    await controlChain(chain).setBalance({ address, value: parseEther('1') });
  };

  beforeAll(async () => {
    network = await openNetwork({ operators: 1 });
    const { rpcUrl, chainId, token } = network.devnet.deployment;
    const values = new Map([
      ['$RPC', rpcUrl],
      ['$CHAIN', String(chainId)],
      ['$TOKEN', token],
      ['$TREASURY', privateKeyToAddress(generatePrivateKey())],
    ]);
    steps = readFileSync(GUIDE, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith('    '))
      .map((line) => line.trim().replaceAll(/\$[A-Z]+/g, (name) => values.get(name) ?? name));
  });
  afterAll(() => network.close());

  test('runs as it stands: a key, the plan, the deployment, its verification', async () => {
    const [key = '', plan = '', yes = '', verify = ''] = steps;
    expect(steps).toHaveLength(4);
    execFileSync('/bin/sh', ['-c', key], { cwd: network.home });
    const planned = await run(plan);
    expect(planned).toMatchObject({ code: 0, stdout: expect.stringContaining('Nothing was sent.') });
    expect(planned.stdout).toMatch(/cost at most +[\d.]+ ether: \d+ gas at [\d.]+ gwei/);
    expect(await run(yes)).toMatchObject({ code: 1, stderr: expect.stringContaining('FUNDS_TOO_LOW') });

    await giveEther();
    // Killed as soon as something was sent; then again, to the end.
    const words = yes.split(' ').map((word) => (/^deploy(er|ment)\.(key|json)$/.test(word) ? at(word) : word));
    const killed = startLatent(words.slice(1), { home: network.home });
    await killed.says('sent as 0x');
    killed.signal('SIGKILL');
    await killed.ended;
    expect(await run(yes)).toMatchObject({ code: 0, stdout: expect.stringContaining('deployed, and verified') });
    const verified = await run(verify);
    expect(verified).toMatchObject({ code: 0, stdout: expect.stringContaining('VERIFIED') });
    expect(verified.stdout).toContain('✓ escrow: code, immutables aside');

    const deployment = deploymentSchema.parse(JSON.parse(readFileSync(at('deployment.json'), 'utf8')));
    expect(deployment.escrow).not.toBe(network.devnet.deployment.escrow);
    expect(await run(yes)).toMatchObject({ code: 0, stdout: expect.stringContaining('is there already') });
    expect(deploymentSchema.parse(JSON.parse(readFileSync(at('deployment.json'), 'utf8')))).toEqual(deployment);
  });

  test('an escrow with another fee does not verify, and the fee is named with both values', async () => {
    const [, , , verify = ''] = steps;
    const deployment = deploymentSchema.parse(JSON.parse(readFileSync(at('deployment.json'), 'utf8')));
    const { escrow } = network.devnet.deployment;
    writeFileSync(
      at('other.json'),
      JSON.stringify({ ...deployment, escrow, terms: { ...deployment.terms, feeBps: 10 } }),
    );
    const wrong = await run(verify.replace('deployment.json', at('other.json')));
    expect(wrong.code).toBe(1);
    expect(wrong.stdout).toContain('✗ escrow: fee in 1/10,000: the chain says 30, recomputed 10');
    const json = await run(`${verify} --json`);
    expect(z.object({ verdict: z.string() }).parse(JSON.parse(json.stdout)).verdict).toBe('verified');
  });

  test('a chain that is not the one meant is refused', async () => {
    const [, plan = ''] = steps;
    const wrong = await run(plan.replace('--chain-id 31337', '--chain-id 8453'));
    expect(wrong).toMatchObject({ code: expect.any(Number), stderr: expect.stringContaining('CHAIN_WRONG') });
  });
});
