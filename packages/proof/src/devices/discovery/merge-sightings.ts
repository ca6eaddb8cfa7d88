import type { DeviceClass, DeviceVendor, DiscoveredDevice, Sighting, SourceName } from './device.ts';
import { findContradictions } from './find-contradictions.ts';
import { given } from './given.ts';

/** Whose word is taken first where several sources tell the same thing. */
const trust: readonly SourceName[] = ['nvml', 'cuda', 'rocm', 'system-profiler', 'sysfs', 'webgpu', 'processor'];

const order: readonly DeviceClass[] = ['gpu', 'cpu', 'software'];

/**
 * Puts the sources' views together, one device for each UUID or PCI address. WebGPU knows neither: its adapter is taken for the
 * machine's only GPU of that vendor, or for the only one of that name, and for a device of its own where neither is so and no
 * other source has one of that vendor.
 * @returns the devices, and one sentence for each adapter that could belong to several of them
 */
export function mergeSightings(sightings: readonly Sighting[]): {
  readonly devices: readonly DiscoveredDevice[];
  readonly unplaced: readonly string[];
} {
  const groups: Sighting[][] = [];
  for (const sighting of sightings.filter(({ source }) => source !== 'webgpu')) addByAddress(groups, sighting);
  const unplaced: string[] = [];
  const alone: Sighting[][] = [];
  for (const adapter of sightings.filter(({ source }) => source === 'webgpu')) {
    const places = adapter.class === 'gpu' ? placesFor(groups, adapter) : [];
    const [place] = places;
    if (place === undefined) alone.push([adapter]);
    else if (places.length === 1) place.push(adapter);
    else unplaced.push(`${adapter.name ?? 'an adapter'} may be any of ${places.length} devices`);
  }
  const ids = new Set<string>();
  const devices = [...groups, ...alone].map((group) => toDevice(group, ids));
  return { devices: devices.toSorted((one, other) => order.indexOf(one.class) - order.indexOf(other.class)), unplaced };
}

/** A view may join two groups that had nothing in common before it. */
function addByAddress(groups: Sighting[][], sighting: Sighting): void {
  const same = groups.filter((group) => group.some((other) => isSame(other, sighting)));
  for (const group of same) groups.splice(groups.indexOf(group), 1);
  groups.push([...same.flat(), sighting]);
}

function isSame(one: Sighting, other: Sighting): boolean {
  if (one.uuid !== undefined && one.uuid === other.uuid) return true;
  return one.pciAddress !== undefined && one.pciAddress === other.pciAddress;
}

function placesFor(groups: readonly Sighting[][], adapter: Sighting): readonly Sighting[][] {
  const sameVendor = groups.filter((group) =>
    group.some(({ class: kind, vendor }) => kind === 'gpu' && vendor === adapter.vendor),
  );
  const sameName = sameVendor.filter((group) => group.some(({ name }) => name !== undefined && name === adapter.name));
  return sameName.length > 0 ? sameName : sameVendor;
}

function toDevice(group: readonly Sighting[], ids: Set<string>): DiscoveredDevice {
  const ranked = group.toSorted((one, other) => trust.indexOf(one.source) - trust.indexOf(other.source));
  const first = <Value>(pick: (sighting: Sighting) => Value | undefined): Value | undefined =>
    ranked.map(pick).find((value) => value !== undefined);
  const kind = first((sighting) => sighting.class) ?? 'software';
  const vendor: DeviceVendor =
    first((sighting) => (sighting.vendor === 'other' ? undefined : sighting.vendor)) ?? 'other';
  const pciAddress = first((sighting) => sighting.pciAddress);
  const uuid = first((sighting) => sighting.uuid);
  const name = first((sighting) => sighting.name) ?? unnamed(ranked, kind);
  const device = {
    id: uniqueId(kind === 'cpu' ? 'cpu' : (uuid ?? (pciAddress ? `pci:${pciAddress}` : slug(ranked, name))), ids),
    name,
    vendor,
    class: kind,
    sightings: ranked,
    contradictions: findContradictions(ranked),
  };
  const memoryBytes = first((sighting) => sighting.memoryBytes);
  const driverVersion = first((sighting) => sighting.driverVersion);
  return { ...device, ...given({ memoryBytes, pciAddress, driverVersion }) };
}

function unnamed([sighting]: readonly Sighting[], kind: DeviceClass): string {
  if (kind === 'cpu') return 'unnamed processor';
  const id = sighting?.facts['pciDevice'];
  const words = typeof id === 'string' ? ` with PCI id ${id}` : '';
  return sighting === undefined ? 'unnamed device' : `${sighting.vendor} device${words}`;
}

function slug([sighting]: readonly Sighting[], name: string): string {
  const words = name.toLowerCase().replace(/[^a-z0-9]+/g, '-');
  return `${sighting?.source ?? 'device'}:${words.replace(/^-|-$/g, '')}`;
}

/** Two adapters may say exactly the same of themselves. */
function uniqueId(id: string, taken: Set<string>): string {
  let own = id;
  for (let number = 2; taken.has(own); number++) own = `${id}#${number}`;
  taken.add(own);
  return own;
}
