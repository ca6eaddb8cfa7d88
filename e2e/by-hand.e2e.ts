import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { awaitFree } from './network/await-free.ts';
import { expectToAddUp, readBill } from './network/bill.ts';
import { awaitRunning } from './network/cluster.ts';
import { programsLayer, serveImage } from './network/image-registry.ts';
import { TICKS, writeJob } from './network/job-file.ts';
import { processesOf } from './network/own-processes.ts';
import { openNetwork, type TestNetwork } from './network/test-network.ts';

const statusSchema = z.array(
  z.object({
    cluster: z.string(),
    phase: z.string(),
    members: z.array(z.object({ rank: z.int(), state: z.string(), address: z.string() })),
  }),
);
const execSchema = z.object({ rank: z.int(), code: z.int(), stdout: z.string(), stderr: z.string() });
const errorSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) });

describe('by hand, command by command', () => {
  let network: TestNetwork;
  let jobFile: string;

  beforeAll(async () => {
    network = await openNetwork({ operators: 3 });
    jobFile = writeJob(network.home, { name: 'ticks', run: TICKS });
  });
  afterAll(() => network.close());

  test('a network that is up says so, and cannot be started twice', async () => {
    const processes = z.array(z.object({ alive: z.boolean() })).parse(await network.json(['devnet', 'status']));
    expect(processes.map(({ alive }) => alive)).toEqual(Array(6).fill(true));
    const again = await network.latent(['devnet', 'up', '--json']);
    expect(again.code).toBe(2);
    expect(errorSchema.parse(JSON.parse(again.stdout)).error.code).toBe('DEVNET_RUNNING');
  });

  test('launch opens a lease and returns; status shows every rank running', async () => {
    const opened = z.object({ cluster: z.string() }).parse(await network.json(['launch', '-d', jobFile]));
    expect(opened.cluster).toBe('ticks');
    await awaitRunning(network.home, 'ticks');
    const [status] = statusSchema.parse(await network.json(['status', 'ticks']));
    expect(status?.phase).toBe('running');
    expect(status?.members.map(({ rank, state }) => `${rank} ${state}`)).toEqual(['0 running', '1 running']);
    expect(new Set(status?.members.map(({ address }) => address)).size).toBe(2);
  });

  test('a second cluster of the same name is refused while the first one runs', async () => {
    const second = await network.latent(['launch', '-d', jobFile]);
    expect(second.code).toBe(2);
    expect(second.stderr).toContain('CLUSTER_EXISTS');
    expect(second.stderr).toContain('latent down ticks');
  });

  test('logs come by rank, and follow the job', async () => {
    const following = network.start(['logs', '-f', 'ticks', '--rank', '1']);
    await following.says(/rank 1 \| tick 1\d/);
    following.signal('SIGINT');
    await following.ended;
    expect(following.printed()).not.toContain('rank 0');
    const lines = z
      .array(z.object({ rank: z.int(), line: z.string() }))
      .parse(await network.json(['logs', 'ticks', '--rank', '0']));
    expect(lines.filter(({ line }) => line.startsWith('tick')).map(({ line }) => line)).toEqual(
      lines.slice(1).map((_, index) => `tick ${index}`),
    );
  });

  test('exec feeds standard input to a command and ends with its exit status', async () => {
    const script = 'read line; echo "got $line on $SKYPILOT_NODE_RANK"; echo aside >&2; exit 7';
    const plain = await network.latent(['exec', 'ticks', '--rank', '1', '--', 'sh', '-c', script], 'hello\n');
    expect(plain).toEqual({ code: 7, stdout: 'got hello on 1\n', stderr: 'aside\n' });
    const json = await network.latent(['exec', 'ticks', '--json', '--', 'sh', '-c', script], 'hello\n');
    expect(json.code).toBe(7);
    expect(execSchema.parse(JSON.parse(json.stdout))).toEqual({
      rank: 0,
      code: 7,
      stdout: 'got hello on 0\n',
      stderr: 'aside\n',
    });
  });

  test('bill of an open lease has no refund yet; after down it adds up to the deposit', async () => {
    const open = await readBill(network, 'ticks');
    expect(open.refund).toBeUndefined();
    expect(open.transactions.map(({ kind }) => kind)).toEqual(['open']);
    expect(await network.json(['down', 'ticks'])).toMatchObject({ cluster: 'ticks', phase: 'ended' });
    const bill = await readBill(network, 'ticks');
    expectToAddUp(bill);
    expect(bill.charged).toBeGreaterThan(0n);
    expect(bill.transactions.map(({ kind }) => kind)).toEqual(['open', 'close']);
  });

  test('a cluster that has ended is told apart from one that never was', async () => {
    const ended = await network.latent(['down', 'ticks']);
    expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining('CLUSTER_NOT_RUNNING') });
    for (const argv of [
      ['status', 'nobody'],
      ['exec', 'nobody', '--', 'ls'],
    ]) {
      const unknown = await network.latent(argv);
      expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('CLUSTER_UNKNOWN') });
      expect(unknown.stderr).toContain('There are: ticks.');
    }
  });

  test('the name is free again, and a job that fails ends its cluster with its exit status told', async () => {
    const file = writeJob(network.home, { name: 'ticks', run: 'echo no; exit 3' });
    await awaitFree(network, 2);
    const failed = await network.latent(['launch', file]);
    expect(failed.code).toBe(4);
    expect(failed.stderr).toMatch(/MEMBER_FAILED: The job ended with exit status 3 on rank \d/);
    expect(await network.json(['status', 'ticks'])).toMatchObject([
      { phase: 'ended', outcome: { code: 'MEMBER_FAILED' } },
    ]);
  });

  test('a job that ends well leaves its machines up until down, or with --down closes by itself', async () => {
    const file = writeJob(network.home, {
      name: 'quick',
      run: 'mkdir out; echo $SKYPILOT_NODE_RANK > out/rank',
      outputs: ['out/rank'],
    });
    await awaitFree(network, 2);
    const kept = await network.latent(['launch', file]);
    expect(kept).toMatchObject({ code: 0, stdout: expect.stringContaining('latent down quick') });
    expect((await network.latent(['exec', 'quick', '--', 'cat', 'out/rank'])).stdout).toBe('0\n');
    expect((await network.latent(['down', 'quick'])).code).toBe(0);
    await awaitFree(network, 2);
    const closed = await network.latent(['launch', file, '--down']);
    expect(closed).toMatchObject({ code: 0, stdout: expect.stringContaining('Done. What it cost') });
    expect(await network.json(['status', 'quick'])).toMatchObject([{ phase: 'ended', outcome: { code: 'done' } }]);
  });

  test('a job runs in the image that it names, from its setup on, and says why if there is none', async ({ skip }) => {
    if (network.devnet.isolation === 'none') skip('no working bubblewrap here, which images need');
    const registry = await serveImage('org/small', {
      ...{ tag: '1', env: ['PATH=/usr/bin:/bin', 'SAYS=image'] },
      layers: [await programsLayer(['/bin/sh', '/usr/bin/cat', '/usr/bin/ls'])],
    });
    const job = {
      ...{ name: 'pictured', setup: 'echo made by setup >/made', run: 'cat /made; echo the $SAYS has; ls /etc' },
      image: `docker:${registry.host}/org/small:1`,
    };
    await awaitFree(network, 2);
    const ran = await network.latent(['launch', writeJob(network.home, job), '--down']);
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringContaining('Done. What it cost') });
    for (const rank of [0, 1]) {
      const lines = [...ran.stdout.matchAll(new RegExp(`rank ${rank} \\| (.*)`, 'g'))].map(([, line]) => line);
      expect(lines.slice(0, 3)).toEqual(['made by setup', 'the image has', 'hosts']);
    }
    await awaitFree(network, 2);
    const gone = { ...job, name: 'nameless', image: `docker:${registry.host}/org/other:1` };
    const refused = await network.latent(['launch', writeJob(network.home, gone)]);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('IMAGE_NOT_FOUND') });
    expect((await readBill(network, 'nameless')).charged).toBe(0n);
    await registry.close();
  });

  test('wrong arguments end with 2, and help shows an example', async () => {
    for (const argv of [['launch'], ['launch', '--nonsense', jobFile], ['logs', '--rank', '9', 'quick']]) {
      expect(await network.latent(argv)).toMatchObject({ code: 2 });
    }
    const help = await network.latent(['launch', '--help']);
    expect(help).toMatchObject({ code: 0, stdout: expect.stringMatching(/Example:\n +\$ latent launch /) });
  });

  test('down closes the clusters that are open, and ends the network and all that belongs to it', async () => {
    await awaitFree(network, 2);
    await network.json(['launch', '-d', jobFile]);
    const down = await network.latent(['devnet', 'down']);
    expect(down).toMatchObject({ code: 0, stdout: expect.stringContaining('the lease is closed and paid') });
    expect(processesOf(network.home)).toEqual([]);
    expect(await network.latent(['devnet', 'down'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('DEVNET_NOT_RUNNING'),
    });
  });
});
