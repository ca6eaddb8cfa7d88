import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { type Clock, identifyProcess, isRunning, type ProcessIdentity, signalProcess } from '@latent/kit';
import { systemPath } from '../../drivers/supervised/system-path.ts';
import { readProcess, saveProcess } from '../saved-process.ts';
import { EGRESS_INTERFACE, EGRESS_SUBNET } from './egress-rules.ts';

const FILE = 'egress.json';
const LOG = 'egress.log';
/** Largest packet on the way out; large ones are what makes TCP cheap here. */
const MTU = 65_520;
/** How often it is looked whether one that was killed has gone. */
const LOOK_MS = 5;
/** Least and most that a process needs to say that the way is there. */
const READY_LIMIT_MS = 15_000;

/**
 * Waits for the word that its number is written down, and goes if that never comes. It works for a job without being in the cgroup of one:
 * its connections, memory and complaints are bounded here. Of the latter no more is kept, and the signal for it ignored, so that it lives on.
 */
const SCRIPT = `trap '' XFSZ
ulimit -n 1024 && ulimit -d 524288 && ulimit -f 128 || exit 125
echo up; read -r word && [ "$word" = keep ] && exec "$@" </dev/null >>"$LATENT_LOG" 2>&1`;

/** The process that was started for the state folder and still carries; undefined once it is gone. */
export async function findCarrier(stateDir: string): Promise<ProcessIdentity | undefined> {
  const carrier = await readProcess(join(stateDir, FILE));
  return carrier !== undefined && isRunning(carrier) ? carrier : undefined;
}

/**
 * Starts slirp4netns for a namespace: it opens a device there, and connections of its own for what comes by it, as the user of the agent. It
 * outlives the agent. @throws what went wrong, in words
 */
export async function startCarrier(namespacePath: string, stateDir: string): Promise<ProcessIdentity> {
  const log = join(stateDir, LOG);
  await rm(log, { force: true });
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'sh', ...carrierCommand(namespacePath)], {
    stdio: ['pipe', 'pipe', 'ignore', 'pipe'],
    env: { PATH: systemPath, LATENT_NETWORK: stateDir, LATENT_LOG: log },
    cwd: '/',
    detached: true,
  });
  child.unref();
  const [stdin, stdout, , ready] = child.stdio;
  if (stdin === null || !isReadable(stdout) || !isReadable(ready)) throw new Error('slirp4netns has no pipes');
  stdin.on('error', () => undefined);
  ready.on('error', () => undefined);
  const ended = once(child, 'close');
  ended.catch(() => undefined);
  try {
    const isUp = await Promise.race([once(stdout, 'data').then(() => true), ended.then(() => false)]);
    if (!isUp || child.pid === undefined) throw new Error('its limits cannot be set');
    const carrier = identifyProcess(child.pid);
    await saveProcess(join(stateDir, FILE), carrier);
    const signal = AbortSignal.timeout(READY_LIMIT_MS);
    const said = Promise.race([once(ready, 'data', { signal }).then(() => true), ended.then(() => false)]);
    stdin.end('keep\n');
    if (!(await said)) throw new Error(lastLine(await readFile(log, 'utf8').catch(() => '')));
    return carrier;
  } catch (thrown) {
    child.kill('SIGKILL');
    throw thrown;
  } finally {
    for (const stream of [stdin, stdout, ready]) stream.destroy();
  }
}

/** Ends what carries for the state folder, if anything. Repeatable. */
export async function endCarrier(stateDir: string, { clock }: { readonly clock: Clock }): Promise<void> {
  const carrier = await readProcess(join(stateDir, FILE));
  if (carrier !== undefined && signalProcess(carrier, 'SIGKILL')) {
    while (isRunning(carrier)) await clock.sleep(LOOK_MS);
  }
  await rm(join(stateDir, FILE), { force: true });
}

/**
 * It reads what a job made up. Of an agent that is root it sees /etc and /run alone and has no capability but one; of another it is that user, as
 * slirp4netns has no such sandbox within a user namespace of one user. Over both there is a filter.
 */
function carrierCommand(namespacePath: string): readonly string[] {
  const isRoot = process.getuid?.() === 0;
  return [
    ...['slirp4netns', '--configure', `--cidr=${EGRESS_SUBNET}`, `--mtu=${MTU}`, '--disable-host-loopback'],
    ...['--enable-seccomp', '--ready-fd=3', '--netns-type=path'],
    ...(isRoot ? ['--enable-sandbox'] : [`--userns-path=${join(dirname(namespacePath), 'user')}`]),
    ...[namespacePath, EGRESS_INTERFACE],
  ];
}

const lastLine = (text: string) => text.trim().split('\n').at(-1)?.slice(0, 200) || 'slirp4netns said nothing';

function isReadable(stream: unknown): stream is Readable {
  return typeof stream === 'object' && stream !== null && 'read' in stream;
}
