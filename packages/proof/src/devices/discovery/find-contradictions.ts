import { hasAbout, knownDevicesNamed } from '../known/find-known-device.ts';
import type { Sighting } from './device.ts';

const GIB = 1024 ** 3;

/** Sources round and leave out what the driver keeps; more than this apart they speak of different memory. */
const MEMORY_TOLERANCE = 0.1;

/**
 * Where the views of one device contradict each other, or what is known of the model that they name. A contradiction does not
 * say which of them is wrong.
 * @returns one sentence each; empty when all agree
 */
export function findContradictions(sightings: readonly Sighting[]): readonly string[] {
  return [
    ...differing(sightings, 'vendor', (sighting) => (sighting.vendor === 'other' ? undefined : sighting.vendor)),
    ...differing(sightings, 'PCI device', ({ facts }) => textOf(facts['pciDevice'])),
    ...differing(sightings, 'PCI vendor', ({ facts }) => textOf(facts['pciVendor'])),
    ...differing(sightings, 'PCI address', ({ pciAddress }) => pciAddress),
    ...differing(sightings, 'model', modelOf),
    ...differingMemory(sightings),
    ...wrongMemory(sightings),
  ];
}

function differing(
  sightings: readonly Sighting[],
  what: string,
  pick: (sighting: Sighting) => string | undefined,
): readonly string[] {
  const said = sightings.flatMap((sighting) => {
    const value = pick(sighting);
    return value === undefined ? [] : [{ source: sighting.source, value }];
  });
  if (new Set(said.map(({ value }) => value)).size < 2) return [];
  return [`${what}: ${said.map(({ source, value }) => `${source} says ${value}`).join(', ')}`];
}

/** Only names of known models can be compared: one driver's spelling of a name says nothing against another's. */
function modelOf({ name }: Sighting): string | undefined {
  return name === undefined ? undefined : knownDevicesNamed(name)[0]?.name;
}

function differingMemory(sightings: readonly Sighting[]): readonly string[] {
  const said = sightings.flatMap(({ source, memoryBytes }) =>
    memoryBytes === undefined ? [] : [{ source, memoryBytes }],
  );
  const sizes = said.map(({ memoryBytes }) => memoryBytes);
  if (said.length < 2 || Math.min(...sizes) >= Math.max(...sizes) * (1 - MEMORY_TOLERANCE)) return [];
  return [`memory: ${said.map(({ source, memoryBytes }) => `${source} says ${showGib(memoryBytes)}`).join(', ')}`];
}

function wrongMemory(sightings: readonly Sighting[]): readonly string[] {
  return sightings.flatMap(({ source, name, memoryBytes }) => {
    if (name === undefined || memoryBytes === undefined) return [];
    const models = knownDevicesNamed(name);
    if (models.length === 0 || models.some((model) => hasAbout(model, memoryBytes / GIB))) return [];
    const sold = [...new Set(models.map(({ memoryGiB }) => String(memoryGiB)))].join(' or ');
    return [`memory: ${source} says ${showGib(memoryBytes)}, but a ${name} has ${sold} GiB`];
  });
}

function showGib(bytes: number): string {
  return `${(bytes / GIB).toFixed(1)} GiB`;
}

function textOf(value: string | number | boolean | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
