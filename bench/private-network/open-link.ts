import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { linkAddressOf } from './addresses.ts';
import { openTcpWay, type Place, type Way } from './way.ts';

const run = promisify(execFile);

/** Two namespaces and a veth link between them. */
export interface BareLink {
  readonly places: readonly [Place, Place];
  /** Names of the namespaces, for `ip -n`. */
  readonly names: readonly [string, string];
  remove(): Promise<void>;
}

export async function openLink(purpose: string): Promise<BareLink> {
  const names = [`latent-bench-${process.pid}-${purpose}0`, `latent-bench-${process.pid}-${purpose}1`] as const;
  const remove = async () => {
    for (const name of names) await run('ip', ['netns', 'del', name]).catch(() => undefined);
  };
  try {
    for (const name of names) await run('ip', ['netns', 'add', name]);
    const [near, far] = names;
    await run('ip', ['link', 'add', 'end', 'netns', near, 'type', 'veth', 'peer', 'name', 'end', 'netns', far]);
    for (const [rank, name] of names.entries()) {
      await run('ip', ['-n', name, 'address', 'add', `${linkAddressOf(rank)}/24`, 'dev', 'end']);
      for (const device of ['lo', 'end']) await run('ip', ['-n', name, 'link', 'set', device, 'up']);
    }
    const place = (rank: 0 | 1) => ({ namespacePath: `/run/netns/${names[rank]}`, address: linkAddressOf(rank) });
    return { places: [place(0), place(1)], names, remove };
  } catch (thrown) {
    await remove();
    throw thrown;
  }
}

export async function openBareWay(signal: AbortSignal): Promise<Way> {
  const link = await openLink('bare');
  try {
    return await openTcpWay({ title: 'bare veth link', pids: [], carried: link.remove }, link.places, signal);
  } catch (thrown) {
    await link.remove();
    throw thrown;
  }
}
