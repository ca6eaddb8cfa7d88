import { inside, nextPrefix, removeNamespaces } from './namespaces.ts';
import { runTool } from './run-tool.ts';

/** All that a lab wants of a machine, and no more: a lab that is wrong itself has to fail, and not to be passed over. */
const PROBE = `
echo 0 > /proc/sys/net/ipv6/conf/all/disable_ipv6
echo 1 > /proc/sys/net/ipv4/ip_forward
ip link add one type veth peer name two
ip link add lan type bridge
ip tuntap add mode tun name tun
nft 'add table ip nat'
nft 'add chain ip nat leaving { type nat hook postrouting priority 100; }'
nft 'add rule ip nat leaving masquerade fully-random'
nft 'add table inet filter'
nft 'add set inet filter cut { type ifname; counter; }'
nft 'add chain inet filter through { type filter hook forward priority 0; }'
nft 'add rule inet filter through ct state new drop'
conntrack -F
`;

/**
 * Why there can be no lab on this machine; undefined where there can.
 * Tests skip with it: `const missing = await findMissing();` and `describe.skipIf(missing !== undefined)`, with the reason in
 * the name.
 */
export async function findMissing(): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'needs network namespaces of Linux';
  if (process.getuid?.() !== 0) return 'needs root, for network namespaces';
  const namespace = `${nextPrefix()}probe`;
  try {
    await runTool('ip', ['netns', 'add', namespace]);
    await runTool(...inside(namespace, 'sh', ['-e', '-c', PROBE]));
    return undefined;
  } catch (thrown) {
    const complaint = thrown instanceof Error ? thrown.message : String(thrown);
    return `needs iproute2, nftables, conntrack and rights to use them: ${complaint.replace(/^.* ended with/s, 'ended with').split('\n')[0]}`;
  } finally {
    await removeNamespaces([namespace]);
  }
}
