import type { DeviceVendor, SourceReport } from '../device.ts';
import type { DiscoverySystem } from '../discovery-system.ts';
import { given } from '../given.ts';
import { cleanText } from '../native-values.ts';
import { answered } from '../reports.ts';

/** The processor and the memory of the machine, offered as one device. */
export async function askProcessor(system: DiscoverySystem): Promise<SourceReport> {
  const { model, threads, memoryBytes, architecture } = system.processor();
  const name = cleanText(model);
  return answered(
    [
      {
        source: 'processor',
        class: 'cpu',
        vendor: vendorOf(model),
        ...given({ name }),
        ...(memoryBytes > 0 ? { memoryBytes } : {}),
        facts: { threads, architecture },
        gaps: [...(name === undefined ? ['name: not told'] : []), ...(memoryBytes > 0 ? [] : ['memory: not told'])],
      },
    ],
    `1 processor, ${threads} threads`,
  );
}

function vendorOf(model: string): DeviceVendor {
  if (/\bintel\b/i.test(model)) return 'intel';
  if (/\bamd\b/i.test(model)) return 'amd';
  return /^apple\b/i.test(model) ? 'apple' : 'other';
}
