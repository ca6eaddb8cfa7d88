import type { DeviceVendor } from './device.ts';

const vendors: Readonly<Record<number, DeviceVendor>> = {
  4098: 'amd',
  4203: 'apple',
  4318: 'nvidia',
  32902: 'intel',
};

/** By PCI vendor id: 0x10de NVIDIA, 0x1002 AMD, 0x8086 Intel, 0x106b Apple. */
export function vendorOfPciId(id: number): DeviceVendor {
  return vendors[id] ?? 'other';
}

/**
 * `0000:65:00.0`, lower case, from any of the ways in which drivers write it: `00000000:65:00.0` (NVML), `0000:65:00.0`
 * (sysfs), `65:00.0`.
 * @returns undefined for what is no PCI address
 */
export function normalizePciAddress(text: string): string | undefined {
  const match = /^(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$/i.exec(text.trim());
  if (match === null) return undefined;
  const [, domain = '0', bus = '', device = '', fn = ''] = match;
  return formatPciAddress(
    Number.parseInt(domain, 16),
    Number.parseInt(bus, 16),
    Number.parseInt(device, 16),
    Number(fn),
  );
}

export function formatPciAddress(domain: number, bus: number, device: number, fn: number): string {
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  return `${hex(domain, 4)}:${hex(bus, 2)}:${hex(device, 2)}.${fn}`;
}

/** `0x10de` → 4318. @returns undefined for what is no hexadecimal number of up to six digits */
export function parsePciId(text: string | undefined): number | undefined {
  const match = /^0x([0-9a-f]{1,6})$/i.exec(text ?? '');
  return match === null ? undefined : Number.parseInt(match[1] ?? '', 16);
}

export function formatPciId(id: number): string {
  return `0x${id.toString(16).padStart(4, '0')}`;
}
