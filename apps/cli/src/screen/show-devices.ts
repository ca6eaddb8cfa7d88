import type { DiscoveredDevice, Discovery, KnownDevice } from '@latent/proof/devices';
import { formatMemory } from './show-proof.ts';
import { textTable } from './text-table.ts';

/** A device, and the model that its name and memory stand for, if that is known. */
export interface ListedDevice {
  readonly device: DiscoveredDevice;
  readonly known: KnownDevice | undefined;
}

/** What the devices of this machine call themselves, where that does not fit together, and whom it was asked of. */
export function showDevices(listed: readonly ListedDevice[], notes: Discovery['notes']): string {
  const rows = listed.map(({ device, known }) => [
    device.id,
    device.class,
    device.name,
    device.memoryBytes === undefined ? 'not told' : formatMemory(BigInt(device.memoryBytes)),
    device.driverVersion ?? '',
    known?.name ?? (device.class === 'gpu' ? 'no' : ''),
  ]);
  const contradictions = listed.flatMap(({ device }) => device.contradictions.map((text) => `! ${device.id}: ${text}`));
  const parts = [
    textTable(['id', 'class', 'name', 'memory', 'driver', 'known model'], rows, ['memory']),
    contradictions.join('\n'),
    'This is what devices say of themselves. Only a proof shows what they are.',
    textTable(
      ['source', 'outcome', ''],
      notes.map(({ source, outcome, detail }) => [source, outcome, detail]),
    ),
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}
