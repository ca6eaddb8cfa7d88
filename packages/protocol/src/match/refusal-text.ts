import { formatDollars } from '../money/dollars.ts';
import { hourlyFromRateUp } from '../money/rate.ts';
import type { Candidate } from './candidate.ts';
import type { RefusalReason } from './refusal.ts';
import type { Requirements } from './requirements.ts';
import { freeDevicesOf } from './shortfalls.ts';

/** What was wanted and what the ask has, in plain words; at most 200 characters. */
export function refusalText(requirements: Requirements, candidate: Candidate, reason: RefusalReason): string {
  const { ask, resource } = candidate;
  switch (reason) {
    case 'absent':
      return 'its agent is not connected';
    case 'kind':
      return `wants ${requirements.kind}, has ${resource.kind}`;
    case 'model':
      return `wants a model like "${requirements.model}", has "${resource.model}"`;
    case 'devices':
      return `wants ${requirements.devicesPerMachine} free devices, has ${freeDevicesOf(candidate)} of ${ask.devices}`;
    case 'device-memory':
      return `wants ≥ ${requirements.minDeviceMemoryMiB} MiB per device, has ${resource.deviceMemoryMiB} MiB`;
    case 'cpu-cores':
      return `wants ≥ ${requirements.minCpuCores} CPU cores, has ${resource.cpuCores}`;
    case 'memory':
      return `wants ≥ ${requirements.minMemoryMiB} MiB of memory, has ${resource.memoryMiB} MiB`;
    case 'region':
      return `wants ${listText(requirements.regions, 'or')}, is in ${resource.region}`;
    case 'price':
      return `wants ≤ ${hourText(requirements.maxPricePerDeviceHour)}, asks ${hourText(hourlyFromRateUp(ask.rate))}`;
    case 'length':
      return `wants ${requirements.seconds} s, leases for at most ${ask.maxSeconds} s`;
    case 'isolation':
      return 'wants isolated jobs, runs them without isolation';
    case 'excluded':
      return `operator ${ask.operator} is excluded`;
    case 'not-needed':
      return `fits at ${hourText(hourlyFromRateUp(ask.rate))}, but cheaper ones were enough`;
    case 'too-few':
      return `fits at ${hourText(hourlyFromRateUp(ask.rate))}, but too few others do`;
    case 'same-machine':
      return 'fits, but another ask of the same machine is cheaper';
  }
}

/** `$0.60/h` from base units per device-hour. */
export function hourText(unitsPerDeviceHour: bigint): string {
  return `${formatDollars(unitsPerDeviceHour)}/h`;
}

/** The first three of a list, and how many more there are. */
export function listText(items: readonly string[], word: 'and' | 'or'): string {
  const shown = items.length > 3 ? [...items.slice(0, 3), `${items.length - 3} more`] : items;
  return [shown.slice(0, -1).join(', '), ...shown.slice(-1)].filter((part) => part !== '').join(` ${word} `);
}
