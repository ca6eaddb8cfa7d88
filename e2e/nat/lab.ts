import { FIRST_SITE, LAST_SITE, lanAddress, publicAddress } from './addresses.ts';
import {
  buildHome,
  forgetMappings,
  type Home,
  moveHome,
  namespacesOf,
  setAddresses,
  unplugMachine,
} from './build-home.ts';
import { type LabProcess, type RunOptions, startProcess } from './lab-process.ts';
import { type Family, KINDS, type LabSpec, planHomes } from './lab-spec.ts';
import { addNamespace, nextPrefix, removeNamespaces, runIp, runNft, sweepNamespaces } from './namespaces.ts';
import { countFault, countUnsolicited, INTERNET_RULES, setFault } from './rules.ts';
import type { LinkCounts, LinkShape } from './shaper/link-shape.ts';
import type { Shaper } from './shaper/start-shaper.ts';

/** Packets of a home, or of a public machine, that did not get through. */
export interface DropCounts {
  /** From outside, and not asked for: dropped by its routers since the lab was opened. */
  readonly unsolicited: number;
  /** Since it was cut. */
  readonly cut: number;
  /** UDP, since that was blocked. */
  readonly udp: number;
}

/**
 * An internet of network namespaces, with machines and homes at it. Nothing of it can be seen or reached from outside: whoever
 * has to talk to what is inside does it by the standard streams of a process.
 *
 * What is said of a place's uplink, router and public addresses holds for every machine of the same home. An order is done
 * when its promise resolves. Where a place is unknown, or has no such address, methods throw.
 */
export interface Lab<Place extends string> extends AsyncDisposable {
  /** Starts a program there. TypeScript: `run(place, process.execPath, [file, ...args])`. */
  run(place: Place, command: string, args: readonly string[], options?: RunOptions): LabProcess;
  /** The address its packets come from, as others see it. By default IPv4, if it has that. */
  addressOf(place: Place, family?: Family): string;
  /** The address it has itself: 192.168.1.<n> behind a router, else the same. */
  localAddressOf(place: Place, family?: Family): string;
  /** Gives its home a new public address, in IPv6 to each machine; routers forget every mapping. Gives `addressOf`. */
  changeAddress(place: Place): Promise<string>;
  /** Routers forget every mapping, as when they start anew with the same address. */
  forgetMappings(place: Place): Promise<void>;
  /**
   * Cuts a home off. `silent`: somewhere on the line packets vanish, and nobody there notices. `unplugged`: this one machine's
   * own link goes down, so that its programs are told that the network is unreachable; other machines there are not cut off.
   */
  cut(place: Place, how?: 'silent' | 'unplugged'): Promise<void>;
  /** Undoes both. */
  mend(place: Place): Promise<void>;
  /** Drops all UDP of a home, both ways, without a word; also that of connections that are going on. */
  blockUdp(place: Place): Promise<void>;
  allowUdp(place: Place): Promise<void>;
  drops(place: Place): Promise<DropCounts>;
  /** Changes a shaped uplink. Its chances and counts begin anew; what is on its way arrives as it would have. */
  shape(place: Place, uplink: LinkShape): Promise<void>;
  /** What passed a shaped uplink since its shape was set. */
  passed(place: Place): Promise<LinkCounts>;
}

/**
 * Opens a lab, after removing what labs of dead processes have left. Disposing of it kills all that runs in it.
 * @param spec places by name
 */
export async function openLab<const Place extends string>(spec: LabSpec<Place>): Promise<Lab<Place>> {
  const plans = planHomes(spec);
  await sweepNamespaces();
  const prefix = nextPrefix();
  const planned = plans.map((plan) => ({ plan, namespaces: namespacesOf(prefix, plan) }));
  const internet = `${prefix}+internet`;
  const all = [internet, ...planned.flatMap(({ namespaces: { machines, routers } }) => [...machines, ...routers])];
  const sites = countSites();
  try {
    await addNamespace(internet, true);
    await runIp(internet, ['route replace blackhole 0.0.0.0/0', 'route replace blackhole ::/0']);
    await runNft(internet, INTERNET_RULES);
    const homes = await settled(planned.map(({ plan, namespaces }) => buildHome(plan, namespaces, sites())));
    return createLab(homes, internet, sites, () => removeNamespaces(all));
  } catch (thrown) {
    await removeNamespaces(all);
    throw thrown;
  }
}

function createLab(
  built: readonly Home[],
  internet: string,
  nextSite: () => number,
  remove: () => Promise<void>,
): Lab<string> {
  const homes = new Map(built.map((home) => [home.plan.name, home]));
  const find = (place: string) => {
    for (const home of homes.values()) {
      const index = home.plan.machines.indexOf(place);
      if (index >= 0) return { home, index, name: home.plan.name, facts: KINDS[home.plan.kind] };
    }
    throw new Error(`there is no place ${place}`);
  };
  const family = (place: string, wanted: Family | undefined): Family => {
    const { families } = find(place).facts;
    const found = wanted === undefined ? families[0] : families.find((one) => one === wanted);
    if (found === undefined) throw new Error(`${place} has no IPv${wanted}`);
    return found;
  };
  const shaperOf = (place: string): Shaper => {
    const { shaper } = find(place).home;
    if (shaper === undefined)
      throw new Error(`the uplink of ${place} is not shaped: give it a shape in the lab's spec`);
    return shaper;
  };
  const addressOf = (place: string, wanted?: Family) => {
    const { home, index, facts } = find(place);
    return publicAddress(home.site, family(place, wanted), facts.routers, index);
  };
  return {
    run: (place, command, args, options = {}) => {
      const { home, index } = find(place);
      return startProcess(home.namespaces.machines[index] ?? '', command, args, options);
    },
    addressOf,
    localAddressOf: (place, wanted) => {
      const { home, index, facts } = find(place);
      return lanAddress(home.site, family(place, wanted), facts.routers, index);
    },
    changeAddress: async (place) => {
      const { home, name } = find(place);
      homes.set(name, await moveHome(home, nextSite()));
      return addressOf(place);
    },
    forgetMappings: (place) => forgetMappings(find(place).home),
    cut: async (place, how = 'silent') => {
      const { home, index, name } = find(place);
      if (how === 'silent') await setFault(internet, name, 'cut', true);
      else await unplugMachine(home, index);
    },
    mend: async (place) => {
      const { home, name } = find(place);
      await setAddresses(home);
      await setFault(internet, name, 'cut', false);
    },
    blockUdp: (place) => setFault(internet, find(place).name, 'no_udp', true),
    allowUdp: (place) => setFault(internet, find(place).name, 'no_udp', false),
    drops: async (place) => {
      const { home, name } = find(place);
      const [unsolicited, cut, udp] = await Promise.all([
        Promise.all(home.namespaces.routers.map(countUnsolicited)),
        countFault(internet, name, 'cut'),
        countFault(internet, name, 'no_udp'),
      ]);
      return { unsolicited: unsolicited.reduce((sum, one) => sum + one, 0), cut, udp };
    },
    shape: (place, uplink) => shaperOf(place).setShape(uplink),
    passed: (place) => shaperOf(place).counts(),
    [Symbol.asyncDispose]: remove,
  };
}

function countSites(): () => number {
  let site = FIRST_SITE - 1;
  return () => {
    site += 1;
    if (site > LAST_SITE) throw new Error(`a lab has addresses for ${LAST_SITE - FIRST_SITE + 1} homes and moves`);
    return site;
  };
}

/** All of them, or the first error, but only when none goes on: what they make has to be there to be removed. */
async function settled<Value>(promises: readonly Promise<Value>[]): Promise<readonly Value[]> {
  await Promise.allSettled(promises);
  return Promise.all(promises);
}
