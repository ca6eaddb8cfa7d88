import { hourlyFromRateUp } from '../money/rate.ts';
import type { Candidate } from './candidate.ts';
import type { Requirements } from './requirements.ts';

/** What an ask can fall short of, in the order in which it is told. */
export const shortfalls = [
  'absent',
  'kind',
  'model',
  'devices',
  'device-memory',
  'cpu-cores',
  'memory',
  'region',
  'price',
  'length',
  'isolation',
  'excluded',
] as const;
export type Shortfall = (typeof shortfalls)[number];

/** Devices of a candidate that can be taken now. */
export function freeDevicesOf(candidate: Candidate): number {
  return Math.min(candidate.freeDevices, candidate.ask.devices);
}

/**
 * Reads the requirements once and returns a function that lists everything in which a candidate falls short of them,
 * in the order of `shortfalls`; an empty list means that it fits.
 */
export function shortfallsAgainst(requirements: Requirements): (candidate: Candidate) => readonly Shortfall[] {
  const model = requirements.model.toLowerCase();
  const regions = new Set(requirements.regions);
  const excluded = new Set(requirements.excludeOperators);
  const falls: Readonly<Record<Shortfall, (candidate: Candidate) => boolean>> = {
    absent: ({ present }) => !present,
    kind: ({ resource }) => resource.kind !== requirements.kind,
    model: ({ resource }) => !resource.model.toLowerCase().includes(model),
    devices: (candidate) => freeDevicesOf(candidate) < requirements.devicesPerMachine,
    'device-memory': ({ resource }) => resource.deviceMemoryMiB < requirements.minDeviceMemoryMiB,
    'cpu-cores': ({ resource }) => resource.cpuCores < requirements.minCpuCores,
    memory: ({ resource }) => resource.memoryMiB < requirements.minMemoryMiB,
    region: ({ resource }) => regions.size > 0 && !regions.has(resource.region),
    price: ({ ask }) => hourlyFromRateUp(ask.rate) > requirements.maxPricePerDeviceHour,
    length: ({ ask }) => ask.maxSeconds < requirements.seconds,
    isolation: ({ resource }) => requirements.isolation === 'namespaces' && resource.isolation === 'none',
    excluded: ({ ask }) => excluded.has(ask.operator),
  };
  return (candidate) => shortfalls.filter((shortfall) => falls[shortfall](candidate));
}
