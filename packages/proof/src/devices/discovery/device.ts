/** `software`: a GPU interface that a processor pretends to have. It is never scored as a GPU. */
export type DeviceClass = 'gpu' | 'cpu' | 'software';

/** Who made a device, by its PCI vendor or its own word. */
export type DeviceVendor = 'nvidia' | 'amd' | 'intel' | 'apple' | 'other';

/** Where a view of a device comes from. */
export const sourceNames = ['nvml', 'cuda', 'rocm', 'sysfs', 'system-profiler', 'webgpu', 'processor'] as const;
export type SourceName = (typeof sourceNames)[number];

/** What one source says of one device, as it says it. */
export interface Sighting {
  readonly source: SourceName;
  readonly class: DeviceClass;
  readonly vendor: DeviceVendor;
  /** Absent where the source knows no name of the model. */
  readonly name?: string;
  /** As NVIDIA's driver prints it: `GPU-` and a UUID. */
  readonly uuid?: string;
  /** `0000:65:00.0`, lower case. */
  readonly pciAddress?: string;
  readonly memoryBytes?: number;
  readonly driverVersion?: string;
  /** Everything else that the source tells. Names are stable. */
  readonly facts: Readonly<Record<string, string | number | boolean>>;
  /** What it was asked and would not tell, with the reason. */
  readonly gaps: readonly string[];
}

/**
 * How a source took being asked. `not there`: this machine lacks what the source needs, so it has no device of that kind by that
 * way. `not measured`: it failed, or was not asked, so nothing is known.
 */
export type SourceOutcome = 'answered' | 'not there' | 'not measured';

export interface SourceNote {
  readonly source: SourceName;
  readonly outcome: SourceOutcome;
  /** One sentence: what was found, or why not. */
  readonly detail: string;
  /** What the library returned, where it returned anything but success. */
  readonly returnCode?: number;
}

export interface SourceReport extends Omit<SourceNote, 'source'> {
  readonly sightings: readonly Sighting[];
}

/** A device of this machine: what it calls itself. Nothing here is proven; only time is evidence. */
export interface DiscoveredDevice {
  /** Stays the same over restarts: the UUID for NVIDIA, `pci:` and the address for others, `cpu` for the processor. */
  readonly id: string;
  readonly name: string;
  readonly vendor: DeviceVendor;
  readonly class: DeviceClass;
  readonly memoryBytes?: number;
  readonly pciAddress?: string;
  readonly driverVersion?: string;
  /** The views it was put together from; at least one. */
  readonly sightings: readonly Sighting[];
  /** Where these views contradict each other or what is known of the model. One sentence each. */
  readonly contradictions: readonly string[];
}

export interface Discovery {
  /** GPUs first, then the processor, then software adapters. */
  readonly devices: readonly DiscoveredDevice[];
  /** One for each source, in the order asked. */
  readonly notes: readonly SourceNote[];
}
