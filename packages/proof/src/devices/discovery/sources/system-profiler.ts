import { z } from 'zod';
import type { DeviceVendor, Sighting, SourceReport } from '../device.ts';
import type { DiscoverySystem } from '../discovery-system.ts';
import { given } from '../given.ts';
import { cleanText } from '../native-values.ts';
import { answered, countDevices, notMeasured, notThere } from '../reports.ts';

const MIB = 1024 ** 2;
const MOST_TEXT = 200;
const MOST_DEVICES = 64;

const text = z.string().max(MOST_TEXT).optional();

const answerSchema = z.object({
  SPDisplaysDataType: z
    .array(
      z.object({
        _name: text,
        sppci_model: text,
        sppci_cores: text,
        sppci_device_type: text,
        sppci_bus: text,
        spdisplays_vendor: text,
        spdisplays_mtlgpufamilysupport: text,
        spdisplays_vram: text,
      }),
    )
    .max(MOST_DEVICES),
});
type Display = z.infer<typeof answerSchema>['SPDisplaysDataType'][number];

/** The GPUs of a Mac. Apple's own share the memory of the machine, so that is what is told as theirs. */
export async function askSystemProfiler(system: DiscoverySystem, signal: AbortSignal): Promise<SourceReport> {
  if (system.platform !== 'darwin') return notThere(`there is no system_profiler on ${system.platform}`);
  const { exitCode, stdout } = await system.runCommand(
    '/usr/sbin/system_profiler',
    ['-json', 'SPDisplaysDataType'],
    signal,
  );
  if (exitCode !== 0) return notMeasured(`system_profiler ended with ${exitCode}`, exitCode);
  const parsed = answerSchema.safeParse(parseJson(stdout));
  if (!parsed.success) return notMeasured('system_profiler gave no list of displays');
  const { memoryBytes } = system.processor();
  const sightings = parsed.data.SPDisplaysDataType.filter(
    ({ sppci_device_type }) => sppci_device_type === undefined || sppci_device_type === 'spdisplays_gpu',
  ).map((display) => toSighting(display, memoryBytes));
  return answered(sightings, countDevices(sightings.length));
}

function toSighting(display: Display, machineMemoryBytes: number): Sighting {
  const name = cleanText(display.sppci_model ?? display._name ?? '');
  const vendor = vendorOf(display.spdisplays_vendor ?? name ?? '');
  const ownMemory = vendor === 'apple' ? machineMemoryBytes : readMemory(display.spdisplays_vram);
  const cores = Number(display.sppci_cores);
  return {
    source: 'system-profiler',
    class: 'gpu',
    vendor,
    ...given({ name, memoryBytes: ownMemory }),
    facts: {
      ...given({
        cores: Number.isSafeInteger(cores) && cores > 0 ? cores : undefined,
        metal: cleanText(display.spdisplays_mtlgpufamilysupport ?? ''),
        bus: cleanText(display.sppci_bus ?? ''),
      }),
      sharesMemory: vendor === 'apple',
    },
    gaps: ownMemory === undefined ? ['memory: not told'] : [],
  };
}

function vendorOf(words: string): DeviceVendor {
  const known: readonly DeviceVendor[] = ['apple', 'amd', 'nvidia', 'intel'];
  return known.find((vendor) => words.toLowerCase().includes(vendor)) ?? 'other';
}

/** `8 GB`, `1536 MB`. */
function readMemory(words: string | undefined): number | undefined {
  const match = /^(\d{1,6}) (MB|GB)$/.exec(words ?? '');
  if (match === null) return undefined;
  return Number(match[1]) * (match[2] === 'GB' ? 1024 * MIB : MIB);
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
