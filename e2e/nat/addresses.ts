import type { Family } from './lab-spec.ts';

// Every home has a *site*, a number that stands in its public addresses: 203.0.113.<site> and 2001:db8:0:<site>::/64, both set
// aside for documentation. A change of address is a change of site; no site is used twice in a lab.
export const FIRST_SITE = 10;
export const LAST_SITE = 250;

/** Inside, every home looks alike, as homes do: an address of somebody's home means something else in another one. */
const LAN = '192.168.1';
const CARRIER = '100.64.0';

/** The internet's end of every uplink. */
const GATEWAY: Readonly<Record<Family, string>> = { 4: '203.0.113.1', 6: 'fe80::1' };

/** The device that leads to a home, in the internet's namespace. */
export function deviceOf(home: string): string {
  return `p-${home}`;
}

/** Where the packets of a machine seem to come from. In IPv6 each machine has its own address. */
export function publicAddress(site: number, family: Family, routers: number, machine: number): string {
  return family === 4 ? `203.0.113.${site}` : lanAddress(site, 6, routers, machine);
}

/** What a machine itself has. Without a router that is its public address. */
export function lanAddress(site: number, family: Family, routers: number, machine: number): string {
  if (routers === 0) return family === 4 ? `203.0.113.${site}` : `2001:db8:0:${site}::1`;
  return family === 4 ? `${LAN}.${machine + 2}` : `2001:db8:0:${site}::${machine + 2}`;
}

// What follows gives commands of `ip`, which may be given again: after a change, or when a link was down.

/** In the internet's namespace: the way to a home. What has no way, is dropped without a word. */
export function wayToHome(home: string, site: number): readonly string[] {
  const device = deviceOf(home);
  return [
    `link set ${device} up`,
    `addr replace ${GATEWAY[4]}/32 dev ${device}`,
    `addr replace ${GATEWAY[6]}/64 dev ${device} nodad`,
    `route replace 203.0.113.${site}/32 dev ${device}`,
    `route replace 2001:db8:0:${site}::/64 via fe80::2 dev ${device}`,
  ];
}

export function noWayToSite(site: number): readonly string[] {
  return [`route del 203.0.113.${site}/32`, `route del 2001:db8:0:${site}::/64`];
}

/** Where the uplink ends, which is the machine itself where there is no router. */
export function uplinkEnd(site: number, families: readonly Family[], routers: number): readonly string[] {
  const ipv4 = [
    `addr replace 203.0.113.${site}/32 dev eth0`,
    `route replace 0.0.0.0/0 via ${GATEWAY[4]} dev eth0 onlink`,
  ];
  const ipv6 = ['addr replace fe80::2/64 dev eth0 nodad', `route replace ::/0 via ${GATEWAY[6]} dev eth0`];
  const own = routers === 0 ? [`addr replace ${lanAddress(site, 6, 0, 0)}/128 dev eth0 nodad`] : [];
  return [
    'link set eth0 up',
    ...(families.includes(4) ? ipv4 : []),
    ...(families.includes(6) ? [...ipv6, ...own] : []),
  ];
}

export function leaveUplinkEnd(site: number, families: readonly Family[], routers: number): readonly string[] {
  return [
    ...(families.includes(4) ? [`addr del 203.0.113.${site}/32 dev eth0`] : []),
    ...(families.includes(6) && routers === 0 ? [`addr del ${lanAddress(site, 6, 0, 0)}/128 dev eth0`] : []),
  ];
}

/** A router's side of the home's own network. */
export function lanRouter(site: number, families: readonly Family[]): readonly string[] {
  return [
    ...(families.includes(4) ? [`addr replace ${LAN}.1/24 dev lan`] : []),
    ...(families.includes(6)
      ? [`addr replace 2001:db8:0:${site}::1/64 dev lan nodad`, 'addr replace fe80::1/64 dev lan nodad']
      : []),
  ];
}

export function leaveLanRouter(site: number, families: readonly Family[]): readonly string[] {
  return families.includes(6) ? [`addr del 2001:db8:0:${site}::1/64 dev lan`] : [];
}

/** A machine in a home with a router. */
export function lanMachine(site: number, families: readonly Family[], machine: number): readonly string[] {
  return [
    'link set eth0 up',
    ...(families.includes(4)
      ? [`addr replace ${lanAddress(site, 4, 1, machine)}/24 dev eth0`, `route replace 0.0.0.0/0 via ${LAN}.1 dev eth0`]
      : []),
    ...(families.includes(6)
      ? [
          `addr replace ${lanAddress(site, 6, 1, machine)}/64 dev eth0 nodad`,
          `route replace ::/0 via ${GATEWAY[6]} dev eth0`,
        ]
      : []),
  ];
}

export function leaveLanMachine(site: number, families: readonly Family[], machine: number): readonly string[] {
  return families.includes(6) ? [`addr del ${lanAddress(site, 6, 1, machine)}/64 dev eth0`] : [];
}

/** The carrier's router, towards its customer's, and the other end. */
export const CARRIER_LAN: readonly string[] = [`addr replace ${CARRIER}.1/10 dev lan`];
export const CARRIER_CUSTOMER: readonly string[] = [
  'link set eth0 up',
  `addr replace ${CARRIER}.2/10 dev eth0`,
  `route replace 0.0.0.0/0 via ${CARRIER}.1 dev eth0`,
];
