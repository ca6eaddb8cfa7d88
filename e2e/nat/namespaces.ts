import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { killProcess } from '../network/own-processes.ts';
import { waitUntil } from '../network/wait-until.ts';
import { runTool } from './run-tool.ts';

const FOLDER = '/run/netns';

/** `latent-<pid>-<start of that process>-<number of its lab>.<name>`: who made it can be told after a crash. */
const NAME = /^latent-(\d+)-(\d+)-\d+\./;

/** What a fresh namespace takes over from the machine, or has by default, differs; here nothing is left to it. */
const SETTINGS: readonly (readonly [path: string, value: string])[] = [
  ['ipv6/conf/all/disable_ipv6', '0'],
  ['ipv6/conf/default/disable_ipv6', '0'],
  ['ipv6/conf/all/accept_dad', '0'],
  ['ipv6/conf/default/accept_dad', '0'],
  ['ipv6/conf/all/accept_ra', '0'],
  ['ipv6/conf/default/accept_ra', '0'],
  ['ipv4/conf/all/rp_filter', '0'],
  ['ipv4/conf/default/rp_filter', '0'],
];

const FORWARDING: readonly (readonly [path: string, value: string])[] = [
  ['ipv4/ip_forward', '1'],
  ['ipv6/conf/all/forwarding', '1'],
];

let labs = 0;

/** The beginning of the names of one lab's namespaces. */
export function nextPrefix(): string {
  labs += 1;
  return `latent-${process.pid}-${startOf(process.pid)}-${labs}.`;
}

/** A way into a namespace for any program, which keeps the process id: `nsenter` becomes the program. */
export function inside(namespace: string, command: string, args: readonly string[]): [string, readonly string[]] {
  return ['nsenter', [`--net=${join(FOLDER, namespace)}`, '--', command, ...args]];
}

/** @param forwards whether it passes packets on between its links */
export async function addNamespace(namespace: string, forwards: boolean): Promise<void> {
  await runTool('ip', ['netns', 'add', namespace]);
  const settings = forwards ? [...SETTINGS, ...FORWARDING] : SETTINGS;
  const script = settings.map(([path, value]) => `echo ${value} > /proc/sys/net/${path}`).join('\n');
  await runTool(...inside(namespace, 'sh', ['-e', '-c', script]));
  await runIp(namespace, ['link set lo up']);
}

/** Commands of `ip` in a namespace, one a line, without the word `ip`. */
export async function runIp(namespace: string, lines: readonly string[]): Promise<void> {
  await runTool('ip', ['-n', namespace, '-batch', '-'], `${lines.join('\n')}\n`);
}

export async function runNft(namespace: string, rules: string): Promise<void> {
  await runTool(...inside(namespace, 'nft', ['-f', '-']), rules);
}

/** Kills every process in these namespaces, by its pid, then removes them. What is gone already is fine. */
export async function removeNamespaces(namespaces: readonly string[]): Promise<void> {
  const inodes = new Set(namespaces.map(inodeOf).filter((inode) => inode !== undefined));
  await waitUntil('the processes of a lab end', () => {
    const left = processesIn(inodes);
    for (const pid of left) killProcess(pid);
    return left.length === 0;
  });
  await Promise.all(
    namespaces.map(async (namespace) => {
      try {
        await runTool('ip', ['netns', 'del', namespace]);
      } catch (thrown) {
        if (existing().includes(namespace)) throw thrown;
      }
    }),
  );
}

/** Removes what labs of processes that are dead have left, with all that still runs there. */
export async function sweepNamespaces(): Promise<void> {
  await removeNamespaces(
    existing().filter((name) => {
      const [, pid, start] = NAME.exec(name) ?? [];
      return pid !== undefined && startOf(Number(pid)) !== start;
    }),
  );
}

/** The processes in namespaces of these inodes. One that has ended is in none. */
function processesIn(inodes: ReadonlySet<number>): readonly number[] {
  if (inodes.size === 0) return [];
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => Number.isSafeInteger(pid) && pid > 1 && pid !== process.pid)
    .filter((pid) => {
      const inode = /^net:\[(\d+)\]$/.exec(orEmpty(() => readlinkSync(`/proc/${pid}/ns/net`)))?.[1];
      return inode !== undefined && inodes.has(Number(inode));
    });
}

function existing(): readonly string[] {
  try {
    return readdirSync(FOLDER);
  } catch {
    // The folder comes with the first namespace.
    return [];
  }
}

function inodeOf(namespace: string): number | undefined {
  return statSync(join(FOLDER, namespace), { throwIfNoEntry: false })?.ino;
}

/** When a process started, in the kernel's ticks: tells it from a later one with the same pid. Empty for one that has ended. */
function startOf(pid: number): string {
  const stat = orEmpty(() => readFileSync(`/proc/${pid}/stat`, 'utf8'));
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function orEmpty(read: () => string): string {
  try {
    return read();
  } catch {
    return '';
  }
}
