export {
  type ClaimComparison,
  type ClaimVerdict,
  type ComparedNumber,
  compareWithClaim,
  type DeviceClaim,
  type ExpectedParts,
  LEAST_AS_CLAIMED,
  type MeasuredDevice,
  MOST_AS_CLAIMED,
} from './compare-with-claim.ts';
export type {
  DeviceClass,
  DeviceVendor,
  DiscoveredDevice,
  Discovery,
  Sighting,
  SourceName,
  SourceNote,
  SourceOutcome,
} from './discovery/device.ts';
export { type DiscoverOptions, discoverDevices } from './discovery/discover-devices.ts';
export type {
  CommandAnswer,
  DiscoverySystem,
  FileView,
  LoadedLibrary,
  NativeArgument,
  NativeFunction,
  NativeLibrary,
  ProcessorFacts,
} from './discovery/discovery-system.ts';
export { createFileView } from './discovery/file-view.ts';
export type { WebgpuAdapter, WebgpuAdapters } from './discovery/sources/webgpu.ts';
export { thisMachine } from './discovery/this-machine.ts';
export { describeSource, type FigureSource, figureSources, type SourceId } from './known/figure-sources.ts';
export { findKnownDevice, knownDevicesNamed } from './known/find-known-device.ts';
export type { Basis, DeviceShape, Figure, KnownDevice, KnownVendor, MemoryBus } from './known/known-device.ts';
export { knownDevices } from './known/known-devices.ts';
