import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { silentLogger, systemClock } from '@latent/kit';
import { afterEach, describe, expect, test } from 'vitest';
import { makeFolder, startProcess, startTcpEnd, type TestProcess } from '../member-network.fixture.ts';
import { removeMemberNetwork } from '../member-network.ts';
import { probeNetwork } from '../probe-network.ts';
import { EGRESS_INTERFACE, egressRules } from './egress-rules.ts';
import { removeEgress } from './open-egress.ts';
import { ownRanges } from './own-ranges.ts';
import { probeEgress } from './probe-egress.ts';

const signal = AbortSignal.timeout(30_000);
const probes = [await probeNetwork({ signal }), await probeEgress({ signal })];
const failed = probes.find((probe) => !probe.usable);
const reason = failed?.usable === false ? `${failed.reason}; ${failed.remedy}` : 'unless root';
const missing = failed === undefined && process.getuid?.() === 0 ? '' : ` (skipped: ${reason})`;

const PORT = 8_080;
const INTERNET = '20.1.1.1';
const OWN_PUBLIC = '20.2.2.2';
const ROUTER = '10.77.0.1';
const BEYOND = ['169.254.169.254', '100.100.100.200', '168.63.129.16', '192.168.7.7', '172.16.0.5', '198.51.100.9'];
const REFUSED_BY_OPERATOR = '20.3.3.3';

const program = (file: URL) => [process.execPath, fileURLToPath(file)];
const WORLD = program(new URL('./world.fixture.ts', import.meta.url));
const AGENT = program(new URL('./egress-process.fixture.ts', import.meta.url));

/** What agents that tests kill leave, as they have to. Runs before all else is ended. */
const leftovers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of leftovers.splice(0)) await end();
});

interface TestMachine {
  /** Starts the agent, which opens its network or takes it up. */
  agent(): Promise<TestProcess & { readonly namespacePath: string; readonly nameserver: string }>;
  /** Beginning of a command that runs on the machine. */
  readonly within: readonly string[];
  readonly stateDir: string;
}

/** A machine on a LAN behind a router, which stands for all of the world; both are namespaces. */
async function openMachine(): Promise<TestMachine> {
  const folder = await makeFolder();
  const stateDir = join(folder, 'network');
  const resolvConf = join(folder, 'resolv.conf');
  await writeFile(resolvConf, `nameserver ${ROUTER}\n`);
  const hold = async (setup: string) => {
    const holder = startProcess(['unshare', '--net', '--mount', 'sh', '-c', `${setup}\necho up; exec sleep infinity`]);
    expect(await holder.line()).toBe('up');
    return ['nsenter', `--target=${holder.child.pid}`, '--net', '--mount', '--'];
  };
  const machine = await hold(`mount --bind ${resolvConf} /etc/resolv.conf && ip link set lo up`);
  const world = await hold('ip link set lo up');
  const on = (where: readonly string[], lines: string) => {
    const [file = '', ...args] = [...where, 'sh', '-ec', lines];
    execFileSync(file, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  };
  on(world, `ip link add lan type veth peer name eth0 netns ${machine[1]?.split('=')[1]}`);
  const far = [INTERNET, REFUSED_BY_OPERATOR, ...BEYOND].map((address) => `ip addr add ${address}/32 dev lo`);
  on(world, `ip addr add ${ROUTER}/24 dev lan; ip link set lan up\n${far.join('\n')}`);
  on(
    machine,
    `ip addr add 10.77.0.2/24 dev eth0; ip addr add ${OWN_PUBLIC}/32 dev lo; ip link set eth0 up
     ip addr add ${OWN_PUBLIC}/32 dev eth0; ip route add default via ${ROUTER}`,
  );
  on(world, `ip route add ${OWN_PUBLIC}/32 via 10.77.0.2`);
  for (const where of [world, machine]) {
    expect(await startProcess([...where, ...WORLD, String(PORT)]).line()).toBe('up');
  }
  const setup = JSON.stringify({ stateDir, refused: [`${REFUSED_BY_OPERATOR}/32`] });
  return {
    within: machine,
    stateDir,
    agent: async () => {
      const agent = startProcess([...machine, ...AGENT, setup]);
      leftovers.push(async () => {
        const { child } = agent;
        if (child.kill('SIGKILL')) await once(child, 'exit');
        const left = { stateDir, clock: systemClock, logger: silentLogger };
        await removeEgress(left);
        await removeMemberNetwork(left);
      });
      const [namespacePath = '', nameserver = ''] = (await agent.line()).split(' ');
      return { ...agent, namespacePath, nameserver };
    },
  };
}

const resolveIn = (namespacePath: string, nameserver: string, name: string) => {
  const script = `const r = new (require('node:dns').Resolver)({ timeout: 2000, tries: 1 }); r.setServers(['${nameserver}']);
    r.resolve4('${name}', (error, found) => console.log(error ? error.code : found.join()))`;
  const args = [`--net=${namespacePath}`, '--', process.execPath, '-e', script];
  return execFileSync('nsenter', args, { encoding: 'utf8' }).trim();
};

/** Processes that were started for the folder. */
function processesFor(stateDir: string): readonly number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && pid !== process.pid)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`LATENT_NETWORK=${stateDir}`);
      } catch {
        return false;
      }
    });
}

const carrierOf = (stateDir: string): number =>
  Number(JSON.parse(readFileSync(join(stateDir, 'egress.json'), 'utf8')).pid);

describe.skipIf(missing !== '')(`the way out of a private network${missing}`, { timeout: 60_000 }, () => {
  test('leads to the internet, and to nothing that the machine, its network or its cloud has', async () => {
    const machine = await openMachine();
    const { namespacePath } = await machine.agent();
    const [host, job] = [startTcpEnd(undefined, machine.within), startTcpEnd(namespacePath)];
    expect(await job(`connect ${INTERNET} ${PORT}`)).toBe('connected');
    expect(await job(`push ${1 << 20}`)).toBe('same');
    const refused = [...BEYOND, REFUSED_BY_OPERATOR, ROUTER, OWN_PUBLIC, '10.77.0.2'];
    for (const address of refused) {
      expect([address, await host(`connect ${address} ${PORT}`)]).toEqual([address, 'connected']);
      expect([address, await job(`connect ${address} ${PORT}`)]).toEqual([address, 'EHOSTUNREACH']);
    }
    for (const address of ['198.19.255.2', '198.19.255.3', '0.0.0.0', '127.0.0.1', '127.8.8.8', '240.0.0.1']) {
      expect([address, await job(`connect ${address} ${PORT}`)]).toEqual([address, expect.stringMatching(/^E[A-Z]+$/)]);
    }
    expect(await job(`connect ${INTERNET} 25`)).toBe('EHOSTUNREACH');
    expect(await job(`connect ::ffff:${ROUTER} ${PORT}`)).toBe('EHOSTUNREACH');
    expect(await job(`connect 2001:db8::1 ${PORT}`)).toMatch(/^E[A-Z]+$/);
    // What kept all this away was the firewall, and nothing else.
    execFileSync('nsenter', [`--net=${namespacePath}`, '--', 'nft', 'delete', 'table', 'inet', 'latent']);
    for (const address of refused) expect(await job(`connect ${address} ${PORT}`)).toBe('connected');
  });

  test('resolves names where the machine does, which opens no other way to what they name', async () => {
    const machine = await openMachine();
    const { namespacePath, nameserver } = await machine.agent();
    expect(resolveIn(namespacePath, nameserver, `${INTERNET}.test`)).toBe(INTERNET);
    expect(resolveIn(namespacePath, nameserver, `${ROUTER}.test`)).toBe(ROUTER);
    expect(await startTcpEnd(namespacePath)(`connect ${ROUTER} ${PORT}`)).toBe('EHOSTUNREACH');
    expect(resolveIn(namespacePath, ROUTER, `${INTERNET}.test`)).toBe('ECONNREFUSED');
  });

  test('is made again when what carries it is killed, and taken up after the death of the agent', async () => {
    const machine = await openMachine();
    const first = await machine.agent();
    const before = carrierOf(machine.stateDir);
    process.kill(before, 'SIGKILL');
    while (carrierOf(machine.stateDir) === before) await new Promise(setImmediate);
    const job = startTcpEnd(first.namespacePath);
    // The device is there a moment after the process is.
    let answer = await job(`connect ${INTERNET} ${PORT}`);
    while (answer === 'ENETUNREACH') answer = await job(`connect ${INTERNET} ${PORT}`);
    expect(answer).toBe('connected');
    expect(await job(`connect ${ROUTER} ${PORT}`)).toBe('EHOSTUNREACH');
    expect(await job(`connect ${INTERNET} ${PORT}`)).toBe('connected');
    first.child.kill('SIGKILL');
    await once(first.child, 'exit');
    expect(await job('say nobody looks after this')).toBe('nobody looks after this');
    const carrier = carrierOf(machine.stateDir);
    const second = await machine.agent();
    expect([second.namespacePath, carrierOf(machine.stateDir)]).toEqual([first.namespacePath, carrier]);
    expect(await job('say and on')).toBe('and on');
  });

  test('leaves nothing behind when the network is closed', async () => {
    const machine = await openMachine();
    const { child } = await machine.agent();
    expect(processesFor(machine.stateDir).length).toBe(2);
    child.stdin.end();
    await once(child, 'exit');
    expect(processesFor(machine.stateDir)).toEqual([]);
    expect(existsSync(join(machine.stateDir, 'egress.json'))).toBe(false);
  });
});

test('refuses what the machine is in itself, public or not', () => {
  const base = { netmask: '', mac: '', internal: false, family: 'IPv4' as const };
  const ranges = ownRanges({
    eth0: [{ ...base, address: '20.2.2.2', cidr: '20.2.2.2/22' }],
    lo: [{ ...base, address: '127.0.0.1', cidr: '127.0.0.1/8', internal: true }],
    ppp0: [{ ...base, address: '20.9.9.9', cidr: '20.9.9.9/0' }],
  });
  expect(ranges).toEqual(['20.2.0.0/22', '20.9.9.9/32']);
  expect(egressRules(ranges)).toContain('20.2.0.0/22, 20.9.9.9/32');
  expect(egressRules(ranges)).toContain(EGRESS_INTERFACE);
});
