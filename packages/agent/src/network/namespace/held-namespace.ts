import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type Clock, identifyProcess, isRunning, type ProcessIdentity, signalProcess } from '@latent/kit';
import { systemPath } from '../../drivers/supervised/system-path.ts';
import { readProcess, saveProcess } from '../saved-process.ts';

/** A network namespace that lasts as long as the process that holds it: one that sleeps, and outlives the agent. */
export interface HeldNamespace {
  readonly holder: ProcessIdentity;
  /** File that stands for the namespace. Where the agent is not root, `user` beside it is the user namespace that owns it. */
  readonly path: string;
}

const FILE = 'namespace.json';
/** Waits for the word that its number is written down, and goes if that never comes. */
const SCRIPT = 'echo up; read -r word && [ "$word" = keep ] && exec sleep infinity </dev/null >/dev/null 2>&1';
/** How often it is looked whether a holder that was killed has gone. */
const LOOK_MS = 5;

const isRoot = () => process.getuid?.() === 0;

/** The namespace that is held for the state folder, by an earlier life of the agent or from now on. @throws what went wrong, in words */
export async function holdNamespace(stateDir: string): Promise<HeldNamespace> {
  await mkdir(stateDir, { recursive: true, mode: 0o700 });
  const found = await findNamespace(stateDir);
  if (found !== undefined) return found;
  const own = isRoot() ? [] : ['--user', '--map-root-user'];
  const child = spawn('unshare', [...own, '--net', '--', '/bin/sh', '-c', SCRIPT], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // So that whoever looks for what runs for a folder finds the holder too.
    env: { PATH: systemPath, LATENT_NETWORK: stateDir },
    cwd: '/',
    detached: true,
  });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-500);
  });
  const ended = once(child, 'close');
  ended.catch(() => undefined);
  const isUp = await Promise.race([once(child.stdout, 'data').then(() => true), ended.then(() => false)]);
  if (!isUp || child.pid === undefined) throw new Error(complaint.trim() || 'unshare said nothing');
  const holder = identifyProcess(child.pid);
  await saveProcess(join(stateDir, FILE), holder);
  // One that was killed just now is found missing by whoever comes next.
  child.stdin.on('error', () => undefined);
  child.stdin.end('keep\n');
  child.stdout.destroy();
  child.stderr.destroy();
  child.unref();
  return toNamespace(holder);
}

/** The namespace that was held for the state folder; undefined once it is gone. */
async function findNamespace(stateDir: string): Promise<HeldNamespace | undefined> {
  const holder = await readProcess(join(stateDir, FILE));
  return holder !== undefined && isRunning(holder) ? toNamespace(holder) : undefined;
}

/** Ends the holder. The namespace goes with it, unless something else still runs in it. Repeatable. */
export async function dropNamespace(stateDir: string, { clock }: { readonly clock: Clock }): Promise<void> {
  const holder = await readProcess(join(stateDir, FILE));
  if (holder !== undefined && signalProcess(holder, 'SIGKILL')) {
    while (isRunning(holder)) await clock.sleep(LOOK_MS);
  }
  await rm(join(stateDir, FILE), { force: true });
}

/**
 * The beginning of a command that goes into the namespace, as its owner, and becomes the command behind it.
 * @param path of a {@link HeldNamespace}
 */
export function enterNamespace(path: string, nsenter = 'nsenter'): readonly string[] {
  const own = isRoot() ? [] : [`--user=${join(dirname(path), 'user')}`, '--preserve-credentials'];
  return [nsenter, ...own, `--net=${path}`, '--'];
}

const toNamespace = (holder: ProcessIdentity): HeldNamespace => ({ holder, path: `/proc/${holder.pid}/ns/net` });
