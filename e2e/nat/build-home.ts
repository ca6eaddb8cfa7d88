import {
  CARRIER_CUSTOMER,
  CARRIER_LAN,
  deviceOf,
  lanMachine,
  lanRouter,
  leaveLanMachine,
  leaveLanRouter,
  leaveUplinkEnd,
  noWayToSite,
  uplinkEnd,
  wayToHome,
} from './addresses.ts';
import { type HomePlan, KINDS } from './lab-spec.ts';
import { addNamespace, runIp, runNft } from './namespaces.ts';
import { forgetFlows, routerRules, setFault } from './rules.ts';
import { type Shaper, startShaper } from './shaper/start-shaper.ts';

/** Names of namespaces: those of a lab begin alike. */
export interface HomeNamespaces {
  readonly internet: string;
  /** In the order of the plan's machines. */
  readonly machines: readonly string[];
  /** From the home to the internet. */
  readonly routers: readonly string[];
}

/** A home that was built. */
export interface Home {
  readonly plan: HomePlan;
  readonly namespaces: HomeNamespaces;
  readonly site: number;
  readonly shaper: Shaper | undefined;
}

export function namespacesOf(prefix: string, { name, kind, machines }: HomePlan): HomeNamespaces {
  return {
    internet: `${prefix}+internet`,
    machines: machines.map((machine) => `${prefix}${machine}`),
    routers: ['router', 'carrier'].slice(0, KINDS[kind].routers).map((part) => `${prefix}${name}+${part}`),
  };
}

/** Builds a home in namespaces that are not there yet, and connects it. */
export async function buildHome(plan: HomePlan, namespaces: HomeNamespaces, site: number): Promise<Home> {
  const { mapping, udp } = KINDS[plan.kind];
  const { internet, machines, routers } = namespaces;
  await Promise.all([
    ...machines.map((machine) => addNamespace(machine, false)),
    ...routers.map(async (router) => {
      await addNamespace(router, true);
      await runIp(router, ['link add lan type bridge', 'link set lan up']);
      await runNft(router, routerRules(mapping));
    }),
  ]);
  if (!udp) await setFault(internet, plan.name, 'no_udp', true);
  const shaper = await connectUplink(plan, namespaces);
  const [router, carrier] = routers;
  if (router !== undefined) for (const [index, machine] of machines.entries()) await joinLan(router, machine, index);
  if (router !== undefined && carrier !== undefined) await joinLan(carrier, router, 0);
  const home = { plan, namespaces, site, shaper };
  await setAddresses(home);
  return home;
}

/** Gives a home another site: new addresses for it and its machines, and routers that remember nothing of before. */
export async function moveHome(home: Home, site: number): Promise<Home> {
  const { plan, namespaces } = home;
  const { families, routers } = KINDS[plan.kind];
  const { machines } = namespaces;
  const moved = { ...home, site };
  await setAddresses(moved);
  await runIp(namespaces.internet, noWayToSite(home.site));
  await runIp(edgeOf(namespaces), leaveUplinkEnd(home.site, families, routers));
  const [router] = namespaces.routers;
  if (router !== undefined) {
    await runIp(router, leaveLanRouter(home.site, families));
    for (const [index, machine] of machines.entries()) {
      await runIp(machine, leaveLanMachine(home.site, families, index));
    }
  }
  await forgetMappings(moved);
  return moved;
}

export async function forgetMappings({ namespaces }: Home): Promise<void> {
  await Promise.all(namespaces.routers.map(forgetFlows));
}

/** Takes the link of one machine down. Its addresses and routes go with it, and programs there are told so. */
export async function unplugMachine({ namespaces }: Home, index: number): Promise<void> {
  await runIp(namespaces.machines[index] ?? '', ['link set eth0 down']);
}

/** Sets every address and way of a home, those that are there already too. */
export async function setAddresses({ plan, namespaces, site }: Home): Promise<void> {
  const { families, routers } = KINDS[plan.kind];
  const [router, carrier] = namespaces.routers;
  await Promise.all([
    runIp(namespaces.internet, wayToHome(plan.name, site)),
    runIp(edgeOf(namespaces), uplinkEnd(site, families, routers)),
    ...(router === undefined ? [] : [runIp(router, lanRouter(site, families))]),
    ...(router === undefined
      ? []
      : namespaces.machines.map((machine, index) => runIp(machine, lanMachine(site, families, index)))),
  ]);
  if (router !== undefined && carrier !== undefined) {
    await runIp(carrier, CARRIER_LAN);
    await runIp(router, CARRIER_CUSTOMER);
  }
}

/** Where the uplink ends. */
function edgeOf({ machines, routers }: HomeNamespaces): string {
  return routers.at(-1) ?? machines[0] ?? '';
}

async function connectUplink({ name, uplink }: HomePlan, namespaces: HomeNamespaces): Promise<Shaper | undefined> {
  const edge = edgeOf(namespaces);
  if (uplink !== undefined) return startShaper(namespaces.internet, edge, name, uplink);
  await runIp(namespaces.internet, [`link add ${deviceOf(name)} type veth peer name eth0 netns ${edge}`]);
  return undefined;
}

async function joinLan(router: string, member: string, index: number): Promise<void> {
  await runIp(router, [
    `link add m${index} type veth peer name eth0 netns ${member}`,
    `link set m${index} master lan up`,
  ]);
}
