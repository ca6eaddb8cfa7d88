import { accessSync } from 'node:fs';
import { openLab } from './lab.ts';

/**
 * Why there can be no lab on this machine; undefined where there can. Opens a small one to see.
 * Tests skip with it: `const missing = await findMissing();` and `describe.skipIf(missing !== undefined)`, with the reason in
 * the name.
 */
export async function findMissing(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'network namespaces are Linux’s';
  if (process.getuid?.() !== 0) return 'needs root, for network namespaces';
  try {
    accessSync('/dev/net/tun');
    await using lab = await openLab({ home: 'dual-stack' });
    await lab.forgetMappings('home');
    return undefined;
  } catch (thrown) {
    const [reason = ''] = String(thrown instanceof Error ? thrown.message : thrown).split('\n');
    return `needs iproute2, nftables, conntrack and /dev/net/tun: ${reason}`;
  }
}
