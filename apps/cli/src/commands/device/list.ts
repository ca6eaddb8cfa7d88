import type { Command } from '@commander-js/extra-typings';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { showDevices } from '../../screen/show-devices.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';
import { findDevices } from './find-devices.ts';

/** `latent device list` */
export function addDeviceList(device: Command): void {
  device
    .command('list')
    .summary('show the devices of this machine, and what they call themselves')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent device list')
    .action((flags) => runCommand(flags, listDevices));
}

async function listDevices({ output, signal }: CommandContext): Promise<undefined> {
  const { findKnownDevice } = await import('@latent/proof/devices');
  const { devices, notes } = await findDevices(signal);
  const listed = devices.map((device) => ({
    device,
    known: device.class === 'gpu' ? findKnownDevice(device.name, device.memoryBytes) : undefined,
  }));
  output.line(showDevices(listed, notes));
  output.result({
    devices: listed.map(({ device, known }) => ({ ...device, knownModel: known?.name ?? null })),
    notes,
  });
}
