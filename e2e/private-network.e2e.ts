import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { toLatentError } from '@latent/protocol';
import { agentMethods, type ClusterRecord, openRenterTransport } from '@latent/sdk';
import { openMethod } from '@latent/transport';
import { hexToBytes } from 'viem';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { awaitFree } from './network/await-free.ts';
import { awaitCluster, awaitRunning, readCluster } from './network/cluster.ts';
import { findMissingNetwork } from './network/find-private-network.ts';
import { writeJob } from './network/job-file.ts';
import { jobProcesses, operatorOf } from './network/operators.ts';
import { type ClusterEyes, openEyes } from './network/rank-output.ts';
import { openNetwork, type TestNetwork } from './network/test-network.ts';
import { waitUntil } from './network/wait-until.ts';

const RANKS = fileURLToPath(new URL('network/private-ranks.ts', import.meta.url));
const machineInterfaces = Object.keys(networkInterfaces()).filter((name) => name !== 'lo');
/** As the ranks have them. */
const VALUES = 1 << 20;

const aroundSchema = z.object({
  ...{ byName: z.array(z.string()), byAddress: z.array(z.string()), interfaces: z.array(z.string()) },
  ...{ loopback: z.string(), stranger: z.string(), master: z.string(), gloo: z.string() },
});
const countSchema = z.object({ count: z.int() });
const networkSchema = z.object({ others: z.int(), direct: z.int(), relayed: z.int() });
const memberSchema = z.object({ address: z.string(), network: networkSchema.optional() });
const statusSchema = z.tuple([z.object({ members: z.array(memberSchema) })]);

/** What the sum of all ranks' vectors has to be. */
function expectedSum(size: number): string {
  const sum = new Int32Array(VALUES);
  for (let rank = 0; rank < size; rank += 1) {
    for (let index = 0; index < VALUES; index += 1) {
      sum[index] = ((sum[index] ?? 0) + (Math.imul(index, 0x9e37_79b1) ^ (rank * 40_503))) | 0;
    }
  }
  return createHash('sha256').update(Buffer.from(sum.buffer)).digest('hex');
}

const missing = await findMissingNetwork();

describe.skipIf(missing !== undefined)(
  `the private network of a cluster${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let network: TestNetwork;
    let machineService: Server;
    let machineCalls = 0;
    /** Two clusters at the same time, on machines of the same market: here even on one and the same kernel. */
    let three: ClusterRecord;
    let two: ClusterRecord;
    const eyes = new Map<string, ClusterEyes>();

    beforeAll(async () => {
      network = await openNetwork({ operators: 5 });
      machineService = createServer((socket) => {
        machineCalls += 1;
        socket.destroy();
      }).listen(0, '127.0.0.1');
      await once(machineService, 'listening');
      await awaitFree(network, 5);
      await launch('three', 3);
      await launch('two', 2);
      three = await awaitRunning(network.home, 'three');
      two = await awaitRunning(network.home, 'two');
      for (const record of [three, two]) eyes.set(record.name, openEyes(record));
    });
    afterAll(async () => {
      for (const open of eyes.values()) await open[Symbol.asyncDispose]();
      machineService?.close();
      await network?.close();
    });

    async function launch(name: string, machines: number): Promise<void> {
      const workdir = join(network.home, 'ranks');
      mkdirSync(workdir, { recursive: true });
      copyFileSync(RANKS, join(workdir, 'ranks.ts'));
      writeFileSync(join(workdir, 'package.json'), '{"type":"module"}');
      const envs = ['MACHINE_PORT'];
      const file = writeJob(network.home, { name, machines, workdir, envs, priceCap: '2.00', run: 'node ranks.ts' });
      const address = machineService.address();
      const port = typeof address === 'object' ? address?.port : undefined;
      await network.json(['launch', '-d', file, '--env', `MACHINE_PORT=${port}`]);
    }

    const eyesOf = ({ name }: ClusterRecord) => eyes.get(name) ?? expect.unreachable();

    /** The last that a rank has said of one thing, once it has. */
    function hears<T>(record: ClusterRecord, rank: number, what: string, schema: z.ZodType<T>): Promise<T> {
      return waitUntil(`rank ${rank} of ${record.name} says ${what}`, async () => {
        const lines = await eyesOf(record).linesOf(rank);
        const last = lines.findLast((line) => line.startsWith(`{"what":"${what}"`));
        if (last === undefined) return undefined;
        const said: unknown = JSON.parse(last);
        return schema.parse(said);
      });
    }

    test('ranks sum up megabytes over it by name, and all come to the same', async () => {
      for (const record of [three, two]) {
        const sum = z.object({ sha256: z.literal(expectedSum(record.members.length)) });
        for (const rank of record.members.keys()) await hears(record, rank, 'sum', sum);
      }
    });

    test('names and addresses lead to the ranks of the own lease, and nothing leads anywhere else', async () => {
      for (const record of [three, two]) {
        const all = record.members.map((_, rank) => `${record.leaseId} ${rank}`);
        for (const rank of record.members.keys()) {
          const around = await hears(record, rank, 'around', aroundSchema);
          expect(around).toMatchObject({ byName: all, byAddress: all, master: '100.84.0.1', gloo: 'latent0' });
          expect(around.interfaces).toContain('latent0');
          expect(around.interfaces.filter((name) => machineInterfaces.includes(name))).toEqual([]);
          // The next address, at which the other cluster has a rank or could have, and the machine's loopback.
          expect(around.stranger).not.toBe('answered');
          expect(around.loopback).toBe('ECONNREFUSED');
        }
      }
      expect(machineCalls).toBe(0);
    });

    test('commands beside the job are in it too, and status says how the ranks reach each other', async () => {
      const script = 'console.log(Object.keys(require("os").networkInterfaces()).join())';
      const ran = await network.latent(['exec', 'three', '--rank', '2', '--', 'node', '-e', script]);
      expect(ran).toMatchObject({ code: 0, stderr: '' });
      expect(ran.stdout.trim().split(',')).toContain('latent0');
      await awaitCluster(network.home, 'three', 'is whole', ({ members }) =>
        members.every((view) => view.network !== undefined && view.network.direct + view.network.relayed === 2),
      );
      const [{ members }] = statusSchema.parse(await network.json(['status', 'three']));
      expect(members.map(({ address }) => address)).toEqual(['100.84.0.1', '100.84.0.2', '100.84.0.3']);
      expect(members.map(({ network: { others } = { others: 0 } }) => others)).toEqual([2, 2, 2]);
      const { stdout } = await network.latent(['status', 'three']);
      expect(stdout).toMatch(/way +network +/);
      expect(stdout.match(/2 (direct|relayed)|1 direct, 1 relayed/g)).toHaveLength(3);
    });

    test('no key but those of the lease’s agents is let in, not even the renter’s', async () => {
      const { peerKey: key, hints } = three.asks[0]?.resource ?? expect.unreachable();
      for (const seed of [randomBytes(32), hexToBytes(three.peerSeed)]) {
        const transport = openRenterTransport(seed);
        const options = { signal: AbortSignal.timeout(20_000), timeoutMs: 20_000 };
        const params = { leaseId: three.leaseId, from: 1, to: 0 };
        try {
          const call = openMethod(transport, { key, hints }, agentMethods.network, params, options);
          const refused = await call.then(() => expect.unreachable('it was let in'), toLatentError);
          expect(refused.code).toBe('LEASE_NOT_MINE');
        } finally {
          await transport.close();
        }
      }
    });

    test('connections between ranks go on when the agents of both ends are killed and started again', async () => {
      await hears(three, 1, 'received', countSchema);
      // One after the other, so that neither is away for so long that the renter gives it up.
      for (const rank of [1, 0]) {
        const operator = operatorOf(network, three, rank);
        await network.faults.killOperator(operator, 'SIGKILL');
        await network.faults.restartOperator(operator);
        const restartedMs = Date.now();
        await awaitCluster(network.home, 'three', `hears of rank ${rank} again`, ({ members, outcome }) => {
          expect(outcome).toBeNull();
          return (members[rank]?.seenAtMs ?? 0) > restartedMs;
        });
      }
      const { count: received } = await hears(three, 1, 'received', countSchema);
      // More than can have been on its way when the agents were killed.
      const further = received + 4 * 1024 * 1024;
      await waitUntil('numbers go on after the agents were killed', async () => {
        expect(readCluster(network.home, 'three')?.record.outcome).toBeNull();
        const latest = await hears(three, 1, 'received', countSchema);
        return latest.count > further;
      });
      // Over connections that know nothing of the agents' earlier lives.
      await using fresh = openEyes(three);
      for (const rank of three.members.keys()) expect(await fresh.run(rank, ['touch', 'stop'])).toBe(0);
      const ended = await awaitCluster(network.home, 'three', 'has ended its job', ({ members }) =>
        members.every(({ job }) => job.kind === 'exited'),
      );
      expect(ended.members.map(({ job }) => job)).toEqual(ended.members.map(() => ({ kind: 'exited', code: 0 })));
      const { count } = await hears(three, 0, 'sent', countSchema);
      expect(await hears(three, 1, 'received all', countSchema)).toEqual({ count });
    });

    test('a cluster that has ended leaves nothing of it behind, and another one goes on', async () => {
      await network.json(['down', 'three']);
      for (const rank of three.members.keys()) {
        expect(jobProcesses(network, operatorOf(network, three, rank))).toEqual([]);
      }
      expect(jobProcesses(network, operatorOf(network, two, 0))).not.toEqual([]);
    });
  },
);
