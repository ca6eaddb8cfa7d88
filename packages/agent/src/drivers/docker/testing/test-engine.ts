import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:fs';
import { access, copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { processEnvironment } from '@latent/kit';
import { readProcesses } from '../../supervised/process-table.ts';
import { callEngine } from '../engine/call-engine.ts';

const run = promisify(execFile);
const readyLimitMs = 30_000;

/** An engine that a test has started for itself, over folders of its own. */
export interface TestEngine {
  readonly socketPath: string;
  /** An image of nothing but busybox, as the engine has it. */
  readonly image: string;
  /** A bridge of its own, without a way out; Docker only. */
  readonly network: string;
  /** SIGKILL to the engine. */
  kill(): Promise<void>;
  /** Starts it over the same folders. @param liveRestore whether containers live on while it is away; Docker only */
  start(options: { readonly liveRestore: boolean }): Promise<void>;
  /** SIGTERM, and all that it made removed. */
  close(): Promise<void>;
}

export type TestEngineAnswer = { readonly engine: TestEngine } | { readonly missing: string };
export type EngineName = 'docker' | 'podman';

/** Starts an engine, or says why there can be none here. */
export async function openTestEngine(name: EngineName): Promise<TestEngineAnswer> {
  if (process.getuid?.() !== 0) return { missing: 'only root can start an engine' };
  const programs = name === 'docker' ? ['dockerd', 'containerd', 'nsenter'] : ['podman'];
  for (const program of [...programs, 'unshare', 'runc', 'busybox', 'tar']) {
    if (!(await isInstalled(program))) return { missing: `the program ${program} is not installed` };
  }
  const folder = await mkdtemp(join(tmpdir(), `latent-${name}-`));
  const engine = name === 'docker' ? docker(folder) : podman(folder);
  try {
    await engine.start({ liveRestore: false });
    await importImage(engine.socketPath, join(folder, 'image'), engine.image);
    await tryContainer(engine);
    if (name === 'docker') {
      const body = { Name: engine.network, Driver: 'bridge', Internal: true };
      await callEngine(engine.socketPath, { method: 'POST', path: '/networks/create', body, limitMs: readyLimitMs });
    }
    return { engine };
  } catch (error) {
    await engine.close();
    return { missing: `${name} does not start here: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** Docker with a containerd of its own, as on a machine: that lives on when the engine dies, and the containers with it. */
function docker(folder: string): TestEngine {
  const at = (name: string) => join(folder, name);
  // Every engine takes /var/run/docker for its network namespaces, wherever its other folders are.
  const begin = 'mkdir -p /var/run/docker && mount -t tmpfs none /var/run/docker && exec "$@"';
  const disabled = '["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]';
  const settings = `version = 2\nroot = "${at('root')}"\nstate = "${at('state')}"\ndisabled_plugins = ${disabled}
[grpc]\naddress = "${at('containerd')}"\n`;
  return testEngine({
    folder,
    files: { 'none.json': '{}', 'containerd.toml': settings },
    base: {
      command: [
        ...['unshare', '--mount', '--propagation', 'private', '/bin/sh', '-c', begin, 'sh'],
        ...['containerd', '--config', at('containerd.toml'), '--log-level', 'error'],
      ],
      socket: at('containerd'),
    },
    command: (base, liveRestore) => [
      ...['nsenter', `--target=${base}`, '--mount', '--', 'dockerd', '--containerd', at('containerd')],
      ...[
        '--config-file',
        at('none.json'),
        '--data-root',
        at('data'),
        '--exec-root',
        at('exec'),
        '--pidfile',
        at('pid'),
      ],
      ...['-H', `unix://${at('sock')}`, '--log-level', 'error', '--bridge', 'none', `--live-restore=${liveRestore}`],
      ...['--iptables=false', '--ip-forward=false', '--userland-proxy=false'],
    ],
    env: {},
    async clear() {
      const path = `/networks/${testNetwork}`;
      await callEngine(at('sock'), { method: 'DELETE', path, limitMs: readyLimitMs }).catch(() => undefined);
    },
  });
}

/** What some machines need of Podman, whose default runtime wants cgroups of one version alone. */
function podman(folder: string): TestEngine {
  const at = (name: string) => join(folder, name);
  return testEngine({
    folder,
    files: {
      'containers.conf': '[engine]\nruntime = "runc"\n',
      'registries.conf': '[[registry]]\nlocation = "127.0.0.1"\ninsecure = true\n',
    },
    command: () => [
      // What it mounts goes when it does.
      ...['unshare', '--mount', '--propagation', 'private', 'podman', '--cgroup-manager', 'cgroupfs'],
      ...['--root', at('data'), '--runroot', at('run'), '--tmpdir', at('tmp')],
      ...['--log-level', 'error', 'system', 'service', '--time=0', `unix://${at('sock')}`],
    ],
    env: { CONTAINERS_CONF: at('containers.conf'), CONTAINERS_REGISTRIES_CONF: at('registries.conf') },
    clear: async () => undefined,
  });
}

const testNetwork = 'latent-test';

interface EnginePlan {
  readonly folder: string;
  readonly files: Readonly<Record<string, string>>;
  /** What the engine needs and outlives it. */
  readonly base?: { readonly command: readonly string[]; readonly socket: string };
  /** @param base number of that process */
  readonly command: (base: number, liveRestore: boolean) => readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly clear: () => Promise<void>;
}

function testEngine(plan: EnginePlan): TestEngine {
  const { folder } = plan;
  const at = (name: string) => join(folder, name);
  let log = '';
  let base: ChildProcess | undefined;
  let child: ChildProcess | undefined;

  function begin(command: readonly string[]): ChildProcess {
    const [file = '', ...args] = command;
    const env = { ...processEnvironment(), ...plan.env };
    const begun = spawn(file, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], env });
    begun.on('error', () => undefined);
    begun.stderr.on('data', (bytes: Buffer) => {
      log = (log + bytes.toString()).slice(-500);
    });
    return begun;
  }

  return {
    socketPath: at('sock'),
    // Podman gives whatever is imported this tag.
    image: 'localhost/latent-test:latest',
    network: testNetwork,
    async kill() {
      await end(child, 'SIGKILL');
      child = undefined;
    },
    async start({ liveRestore }) {
      for (const [name, content] of Object.entries(plan.files)) await writeFile(at(name), content);
      // One that was killed leaves its number, which a new one would take for a sign of life.
      for (const name of ['pid', 'sock']) await rm(at(name), { force: true });
      if (base === undefined && plan.base !== undefined) {
        base = begin(plan.base.command);
        await comesUp(base, () => access(plan.base?.socket ?? ''));
      }
      log = '';
      child = begin(plan.command(base?.pid ?? 0, liveRestore));
      try {
        await comesUp(child, (signal) => ping(at('sock'), signal));
      } catch (error) {
        throw new Error(`the engine does not answer: ${log.trim()}`, { cause: error });
      }
    },
    async close() {
      if (child !== undefined) await plan.clear();
      // Podman takes no notice of SIGTERM once it has been called.
      await end(child, plan.base === undefined ? 'SIGKILL' : 'SIGTERM');
      await end(base, 'SIGTERM');
      await endRest(folder);
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

async function end(child: ChildProcess | undefined, signal: NodeJS.Signals): Promise<void> {
  if (child === undefined || child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

/** Podman keeps a process for five minutes after each command that ran in a container. All of an engine's own name its folder. */
async function endRest(folder: string): Promise<void> {
  for (const { pid } of await readProcesses()) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes(`${folder}/`)) process.kill(pid, 'SIGKILL');
  }
}

async function ping(socketPath: string, signal: AbortSignal): Promise<void> {
  await callEngine(socketPath, { method: 'GET', path: '/_ping', limitMs: 2_000 }, signal);
}

/** Tries again and again until it succeeds, as long as the process runs. */
async function comesUp(child: ChildProcess, attempt: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const signal = AbortSignal.timeout(readyLimitMs);
  for (;;) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null)
      throw new Error('It has ended.');
    try {
      return await attempt(signal);
    } catch {
      await pause(20, undefined, { signal });
    }
  }
}

/** No public registry can be reached from every machine that runs tests, so the image is made of what the machine has. */
async function importImage(socketPath: string, folder: string, image: string): Promise<void> {
  await mkdir(join(folder, 'bin'), { recursive: true });
  const { stdout: path } = await run('/bin/sh', ['-c', 'command -v busybox']);
  await copyFile(path.trim(), join(folder, 'bin', 'busybox'));
  const { stdout } = await run('busybox', ['--list']);
  for (const applet of stdout.trim().split('\n')) {
    if (applet !== 'busybox') await symlink('busybox', join(folder, 'bin', applet));
  }
  const { stdout: tar } = await run('tar', ['-C', folder, '--owner=0', '--group=0', '-c', '.'], {
    ...{ encoding: 'buffer', maxBuffer: 64 << 20 },
  });
  const [repo = '', tag = ''] = image.split(':');
  const asked = request({
    socketPath,
    method: 'POST',
    path: `/images/create?fromSrc=-&repo=${encodeURIComponent(repo)}&tag=${tag}`,
    headers: { Host: 'engine', 'Content-Type': 'application/x-tar', 'Content-Length': tar.length },
    signal: AbortSignal.timeout(readyLimitMs),
  });
  asked.end(tar);
  const [response] = await once(asked, 'response');
  let text = '';
  for await (const chunk of response) text += String(chunk);
  if (response.statusCode !== 200 || /"error"/.test(text)) throw new Error(`its image: ${text.slice(0, 300)}`);
}

/** Some machines let an engine start and none of its containers. @throws with what the engine says */
async function tryContainer({ socketPath, image }: TestEngine): Promise<void> {
  const ask = async (method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<void> => {
    const call = { method, path, limitMs: readyLimitMs, ...(body === undefined ? {} : { body }) };
    const { status, text } = await callEngine(socketPath, call);
    if (status >= 400) throw new Error(`it runs no container: ${text.trim().slice(-300)}`);
  };
  const limit = (Name: string) => ({ Name, Soft: 1024, Hard: 1024 });
  const HostConfig = { NetworkMode: 'none', Ulimits: [limit('nofile'), limit('nproc')] };
  await ask('POST', '/containers/create?name=trial', { Image: image, Cmd: ['true'], HostConfig });
  await ask('POST', '/containers/trial/start');
  await ask('POST', '/containers/trial/wait');
  await ask('DELETE', '/containers/trial?force=true');
}

async function isInstalled(program: string): Promise<boolean> {
  for (const folder of (processEnvironment()['PATH'] ?? '').split(':').concat('/usr/sbin', '/sbin')) {
    try {
      await access(join(folder, program), constants.X_OK);
      return true;
    } catch {
      // Not in this folder.
    }
  }
  return false;
}
