import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { identifyProcess, isRunning, type ProcessIdentity } from '@latent/kit';
import { asksAnswerSchema, deploymentSchema, operatorsAbi, testDollarAbi } from '@latent/protocol';
import { bytesToHex } from 'viem';
import { privateKeyToAddress } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectDevChain } from './chain/connect-dev-chain.ts';
import { type Devnet, devnetStatus, readDevnet } from './devnet.ts';
import { devnetPaths } from './devnet-paths.ts';
import { readDevnetState, updateProcess } from './devnet-state.ts';
import { createFaults } from './faults.ts';
import { RENTER_DOLLARS } from './fund-network.ts';
import { findStrays } from './processes/find-strays.ts';
import { startDevnet } from './start-devnet.ts';
import { stopDevnet } from './stop-devnet.ts';

const never = new AbortController().signal;
const LIMIT_MS = 180_000;

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'latent-devnet-'));
}

async function removeNetwork(dataDir: string): Promise<void> {
  await stopDevnet({ dataDir }).catch((thrown: unknown) =>
    expect(thrown).toMatchObject({ code: 'DEVNET_NOT_RUNNING' }),
  );
  rmSync(dataDir, { recursive: true, force: true });
}

/** Nothing that belongs to the network runs, written down or not. */
function expectNothingRuns(dataDir: string): void {
  expect(findStrays(devnetPaths(dataDir).writtenBelow)).toEqual([]);
  expect(() => devnetStatus(dataDir)).toThrow(expect.objectContaining({ code: 'DEVNET_NOT_RUNNING' }));
}

function chainOf({ deployment }: Devnet) {
  return connectDevChain(deployment.rpcUrl, deployment.chainId);
}

async function asksAt(book: string) {
  const answer = await fetch(`${book}/v1/asks?offset=0&limit=100`);
  return asksAnswerSchema.parse(await answer.json()).asks;
}

/** A process as a driver leaves one behind when its agent ends: in its own session, its output in the agent's folder. */
function startJobThatOutlivesItsAgent({ operators }: Devnet): ProcessIdentity {
  const output = openSync(join(operators[0]?.dataDir ?? '', 'job-output'), 'w');
  const job = spawn('sleep', ['600'], { detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  return identifyProcess(job.pid ?? 0);
}

describe('a network that is up', { timeout: LIMIT_MS }, () => {
  const dataDir = newFolder();
  const faults = createFaults({ dataDir, signal: never });
  const progress: string[] = [];
  let devnet: Devnet;

  beforeAll(async () => {
    devnet = await startDevnet({
      dataDir,
      settings: { operators: 2, seed: 'test' },
      signal: never,
      onProgress: ({ step }) => progress.push(step),
    });
  }, LIMIT_MS);
  afterAll(() => removeNetwork(dataDir), LIMIT_MS);

  test('is what was planned, with every process alive and each step told', () => {
    expect(devnet.processes.map(({ name, alive }) => `${name} ${alive}`)).toEqual([
      'chain true',
      'book-1 true',
      'book-2 true',
      'operator-1 true',
      'operator-2 true',
    ]);
    expect(devnet.operators.map(({ name, address }) => `${name} ${address}`)).toEqual([
      'operator-1 127.0.1.1',
      'operator-2 127.0.1.2',
    ]);
    expect(readDevnet(dataDir)).toEqual(devnet);
    expect(new Set(progress)).toEqual(new Set(['chain', 'contracts', 'books', 'operators']));
  });

  test('has agents that joined on chain and published their asks to both books', async () => {
    const { deployment, operators, books } = devnet;
    const agents = await chainOf(devnet).readContract({
      address: deployment.operators,
      abi: operatorsAbi,
      functionName: 'agents',
      args: [operators.map(({ agentKey }) => agentKey)],
    });
    expect(agents.map(({ operator }) => operator)).toEqual(operators.map(({ operator }) => operator));
    expect(books).toHaveLength(2);
    for (const book of books) {
      const ids = (await asksAt(book)).map(({ id }) => id);
      expect(ids.toSorted()).toEqual(operators.map(({ ask }) => ask).toSorted());
    }
  });

  test('gives the renter a key that nobody else can read, with dollars and ether', async () => {
    expect(statSync(devnet.renterKeyFile).mode & 0o777).toBe(0o600);
    const renter = privateKeyToAddress(bytesToHex(readFileSync(devnet.renterKeyFile)));
    const dollars = await chainOf(devnet).readContract({
      address: devnet.deployment.token,
      abi: testDollarAbi,
      functionName: 'balanceOf',
      args: [renter],
    });
    expect(dollars).toBe(RENTER_DOLLARS);
    expect(await chainOf(devnet).getBalance({ address: renter })).toBeGreaterThan(0n);
  });

  test('says in a file where it is', () => {
    const file = deploymentSchema.parse(JSON.parse(readFileSync(devnet.deploymentFile, 'utf8')));
    expect(file).toEqual(devnet.deployment);
  });

  test('is not started twice', async () => {
    await expect(startDevnet({ dataDir, signal: never })).rejects.toMatchObject({ code: 'DEVNET_RUNNING' });
    expect(devnetStatus(dataDir).every(({ alive }) => alive)).toBe(true);
  });

  test('bears that an agent is killed, and takes it back as the same one', async () => {
    await faults.killOperator(1, 'SIGKILL');
    expect(
      devnetStatus(dataDir)
        .filter(({ alive }) => !alive)
        .map(({ name }) => name),
    ).toEqual(['operator-2']);
    await expect(faults.killOperator(1, 'SIGKILL')).rejects.toMatchObject({ code: 'DEVNET_NOT_RUNNING' });
    await faults.restartOperator(1);
    await expect(faults.restartOperator(1)).rejects.toMatchObject({ code: 'DEVNET_RUNNING' });
    expect(readDevnet(dataDir).operators[1]?.agentKey).toBe(devnet.operators[1]?.agentKey);
  });

  test('takes a book back at the same URL', async () => {
    await faults.killBook(0, 'SIGTERM');
    await faults.restartBook(0);
    expect(readDevnet(dataDir).books).toEqual(devnet.books);
  });

  test('takes the chain back at the same URL, with its time where it was moved to', async () => {
    const moved = await faults.advanceTime(5_000);
    await faults.pauseChain();
    await expect(chainOf(devnet).getBlockNumber()).rejects.toThrow();
    await faults.resumeChain();
    await chainOf(devnet).mine({ blocks: 1 });
    const { timestamp } = await chainOf(devnet).getBlock();
    expect(timestamp).toBeGreaterThanOrEqual(moved);
    expect(readDevnet(dataDir).deployment).toEqual(devnet.deployment);
  });

  test('refuses a fault for what it does not have', async () => {
    await expect(faults.restartOperator(2)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });
});

describe('stopping', { timeout: LIMIT_MS }, () => {
  test('leaves nothing running, and a start goes on where it was', async () => {
    const dataDir = newFolder();
    try {
      const before = await startDevnet({ dataDir, settings: { operators: 1 }, signal: never });
      const job = startJobThatOutlivesItsAgent(before);
      await stopDevnet({ dataDir });
      expectNothingRuns(dataDir);
      expect(isRunning(job)).toBe(false);
      const after = await startDevnet({ dataDir, signal: never });
      expect(after.deployment).toEqual(before.deployment);
      expect(after.books).toEqual(before.books);
      expect(after.operators[0]?.agentKey).toBe(before.operators[0]?.agentKey);
      await stopDevnet({ dataDir });
      await expect(startDevnet({ dataDir, settings: { operators: 2 }, signal: never })).rejects.toMatchObject({
        code: 'CONFIG_INVALID',
      });
    } finally {
      await removeNetwork(dataDir);
    }
  });

  test('ends everything after the starter was killed half-way, even what nobody wrote down', async () => {
    const dataDir = newFolder();
    try {
      const fixture = fileURLToPath(new URL('killed-starter.fixture.ts', import.meta.url));
      const starter = spawn(process.execPath, [fixture, dataDir], { stdio: 'ignore' });
      expect(await once(starter, 'exit')).toEqual([null, 'SIGKILL']);
      expect(devnetStatus(dataDir).filter(({ alive }) => alive).length).toBeGreaterThanOrEqual(2);
      // As if it had been killed between starting the book and writing its pid down.
      const book = readDevnetState(dataDir)?.processes.find(({ kind, url }) => kind === 'book' && url !== null);
      expect(book?.identity).not.toBeNull();
      updateProcess(dataDir, book?.name ?? '', { identity: null });
      await expect(startDevnet({ dataDir, signal: never })).rejects.toMatchObject({ code: 'DEVNET_RUNNING' });
      await stopDevnet({ dataDir });
      expectNothingRuns(dataDir);
    } finally {
      await removeNetwork(dataDir);
    }
  });

  test('a start that is aborted leaves nothing running', async () => {
    const dataDir = newFolder();
    try {
      const abort = new AbortController();
      const started = startDevnet({
        dataDir,
        settings: { operators: 1 },
        signal: abort.signal,
        onProgress: ({ step }) => step === 'contracts' && abort.abort(),
      });
      await expect(started).rejects.toMatchObject({ name: 'AbortError' });
      expectNothingRuns(dataDir);
    } finally {
      await removeNetwork(dataDir);
    }
  });

  test('a start that fails leaves nothing running, and says which process failed and why', async () => {
    const dataDir = newFolder();
    try {
      // A folder where the agent wants its database: it cannot start.
      mkdirSync(join(devnetPaths(dataDir).operator('operator-1').dataDir, 'agent.sqlite'), { recursive: true });
      await expect(startDevnet({ dataDir, settings: { operators: 1 }, signal: never })).rejects.toMatchObject({
        code: 'DEVNET_FAILED',
        message: expect.stringContaining('operator-1 ended before it was ready'),
        details: { process: 'operator-1' },
      });
      expectNothingRuns(dataDir);
    } finally {
      await removeNetwork(dataDir);
    }
  });

  test('a machine without bubblewrap is told of, and its asks say that they isolate nothing', async () => {
    const dataDir = newFolder();
    const said: string[] = [];
    try {
      const devnet = await startDevnet({
        dataDir,
        settings: { operators: 1 },
        signal: never,
        onProgress: ({ text }) => said.push(text),
        canSandbox: async () => false,
      });
      expect(said[0]).toContain('no working bubblewrap');
      expect(devnet.isolation).toBe('none');
      expect(devnet.operators[0]?.driver).toBe('process');
      const [listed] = await asksAt(devnet.books[0] ?? '');
      expect(listed?.signed.resource.isolation).toBe('none');
    } finally {
      await removeNetwork(dataDir);
    }
  });
});
