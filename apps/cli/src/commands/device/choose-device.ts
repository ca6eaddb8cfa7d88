import type { DiscoveredDevice } from '@latent/proof/devices';
import { LatentError } from '@latent/protocol';

/**
 * @param wanted an id, or a part of an id or of a name; undefined for the first that is no software
 * @throws LatentError DEVICE_UNKNOWN if it is none of these devices, or more than one
 */
export function chooseDevice(devices: readonly DiscoveredDevice[], wanted: string | undefined): DiscoveredDevice {
  const list = devices.map(({ id, name }) => `${id} (${name})`);
  const exact = devices.find(({ id }) => id === wanted);
  if (exact !== undefined) return exact;
  const matches = devices.filter(({ id, name, class: kind }) =>
    wanted === undefined ? kind !== 'software' : `${id} ${name}`.toLowerCase().includes(wanted.toLowerCase()),
  );
  const [first, second] = matches;
  if (first !== undefined && (wanted === undefined || second === undefined)) return first;
  throw new LatentError(
    'DEVICE_UNKNOWN',
    first === undefined
      ? `There is no device "${wanted ?? ''}" here.`
      : `"${wanted ?? ''}" names ${matches.length} devices.`,
    { hint: `It has: ${list.join(', ')}.`, details: { wanted: wanted ?? null, devices: list } },
  );
}
