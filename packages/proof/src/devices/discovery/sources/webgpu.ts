import { z } from 'zod';
import type { DeviceVendor, Sighting, SourceReport } from '../device.ts';
import { given } from '../given.ts';
import { cleanText } from '../native-values.ts';
import { answered, notMeasured } from '../reports.ts';

/** What a WebGPU adapter says of itself (`GPUAdapter.info`). WebGPU knows no memory size, no address and no UUID. */
export interface WebgpuAdapter {
  readonly vendor: string;
  readonly architecture: string;
  readonly device: string;
  readonly description: string;
  readonly isFallbackAdapter: boolean;
}

/** Asks the WebGPU engine for its adapters. Passed in, as discovery loads no engine. */
export type WebgpuAdapters = (signal: AbortSignal) => Promise<readonly WebgpuAdapter[]>;

const MOST_ADAPTERS = 64;

const adaptersSchema = z
  .array(
    z.object({
      vendor: z.string().max(200),
      architecture: z.string().max(200),
      device: z.string().max(200),
      description: z.string().max(400),
      isFallbackAdapter: z.boolean(),
    }),
  )
  .max(MOST_ADAPTERS);

/** Some drivers in software do not own up to it by `isFallbackAdapter`. */
const SOFTWARE = /llvmpipe|lavapipe|softpipe|swiftshader|basic render|\bwarp\b|software/i;

export async function askWebgpu(adapters: WebgpuAdapters | undefined, signal: AbortSignal): Promise<SourceReport> {
  if (adapters === undefined) return notMeasured('was not asked: discovery was given no WebGPU engine');
  const parsed = adaptersSchema.safeParse(await adapters(signal));
  if (!parsed.success) return notMeasured('the WebGPU engine gave no adapters that can be read');
  const sightings = parsed.data.map(toSighting);
  const software = sightings.filter((sighting) => sighting.class === 'software').length;
  const count = `${sightings.length} ${sightings.length === 1 ? 'adapter' : 'adapters'}`;
  return answered(sightings, software === 0 ? count : `${count}, ${software} of them software`);
}

function toSighting(adapter: WebgpuAdapter): Sighting {
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter;
  const words = [vendor, architecture, device, description].join(' ');
  const name = cleanText(description) ?? cleanText(device);
  return {
    source: 'webgpu',
    class: isFallbackAdapter || SOFTWARE.test(words) ? 'software' : 'gpu',
    vendor: vendorOf(vendor),
    ...given({ name }),
    facts: {
      ...given({ vendor: cleanText(vendor), architecture: cleanText(architecture), device: cleanText(device) }),
      isFallbackAdapter,
    },
    gaps: [],
  };
}

function vendorOf(vendor: string): DeviceVendor {
  const known: readonly DeviceVendor[] = ['nvidia', 'amd', 'intel', 'apple'];
  return known.find((name) => name === vendor.toLowerCase()) ?? 'other';
}
