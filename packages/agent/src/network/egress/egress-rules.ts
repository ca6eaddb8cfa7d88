import { NETWORK_INTERFACE } from '@latent/protocol';

/** Device of the way out in a job's network namespace. */
export const EGRESS_INTERFACE = 'egress0';
/** Of the range for benchmarks (RFC 2544), which nobody routes: neither a LAN nor the private network is there. */
export const EGRESS_SUBNET = '198.19.255.0/24';
/** Where the resolver of the machine answers, for jobs. */
export const EGRESS_NAMESERVER = '198.19.255.3';

/**
 * What is no public address (RFC 6890 and what replaced it), and so somebody's own network, this machine's or its cloud's. The last one is
 * public and yet answers machines of Azure with their own secrets.
 */
const NOT_PUBLIC = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12'],
  ...['192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24'],
  ...['203.0.113.0/24', '224.0.0.0/3', '168.63.129.16/32'],
] as const;

/** New TCP connections a second, and how many may come at once. Scanning and floods need more, fetching packages does not. */
const CONNECTIONS = 'rate over 200/second burst 1000 packets';
/** Mail from machines to machines: clouds and homes close it, as whoever sends from there is put on lists. */
const SMTP = 25;

/**
 * The firewall of a job's network namespace, as `nft -f` reads it. It acts on what is sent, by address, so no name that resolves to something
 * else gets past it; and only who owns the namespace can change it, which no job does. In place of one that was there before.
 * @param refused further IPv4 ranges that are not to be reached, such as the machine's own
 */
export function egressRules(refused: readonly string[]): string {
  return `add table inet latent
delete table inet latent
table inet latent {
  set refused {
    type ipv4_addr
    flags interval
    auto-merge
    elements = { ${[...NOT_PUBLIC, ...refused].join(', ')} }
  }
  chain output {
    type filter hook output priority 0; policy drop;
    oifname "lo" accept
    oifname "${NETWORK_INTERFACE}" accept
    oifname != "${EGRESS_INTERFACE}" drop
    ip daddr ${EGRESS_NAMESERVER} udp dport 53 accept
    ip daddr ${EGRESS_NAMESERVER} tcp dport 53 accept
    ip daddr @refused reject with icmp type admin-prohibited
    tcp dport ${SMTP} reject with icmp type admin-prohibited
    ip protocol tcp tcp flags & (fin | syn | rst | ack) == syn limit ${CONNECTIONS} drop
    ip protocol { tcp, udp } accept
  }
  chain forward {
    type filter hook forward priority 0; policy drop;
  }
}
`;
}
