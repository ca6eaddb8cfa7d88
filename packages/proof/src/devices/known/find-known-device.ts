import type { KnownDevice, KnownVendor } from './known-device.ts';
import { knownDevices } from './known-devices.ts';

/** A driver keeps up to 8 % of the nominal memory for itself and for error correction; the rest is room for rounding. */
const LEAST_OF_NOMINAL = 0.85;
const MOST_OF_NOMINAL = 1.05;

const GIB = 1024 ** 3;

/** Longer than any name that a driver prints. */
const MOST_NAME = 200;

/** Words that drivers put in or leave out of one and the same name. What sets models apart is never among them. */
const OPTIONAL_WORDS: ReadonlySet<string> = new Set([
  'geforce',
  'radeon',
  'instinct',
  'tesla',
  'graphics',
  'corporation',
]);

/**
 * The known device that a driver's name stands for. The whole name has to be that of the model: "RTX 3080" is not "RTX 3080 Ti",
 * and a "Laptop GPU" or "Max-Q" is no desktop model. Spelling, case, trademark signs and a driver's own addition in brackets at
 * the end do not count.
 * @param name what the driver prints, such as `AMD Radeon RX 7900 XTX (RADV NAVI31)`
 * @param memoryBytes what the device says it has: tells apart models that share a name (A100, RTX 3060, RTX 4060 Ti)
 * @returns undefined for a model that is not in the table, and for several models of one name that memory does not tell apart
 */
export function findKnownDevice(name: string, memoryBytes?: number): KnownDevice | undefined {
  const named = knownDevicesNamed(name);
  if (named.length <= 1) return named[0];
  const memoryGiB = memoryBytes === undefined ? memoryInName(name) : memoryBytes / GIB;
  if (memoryGiB === undefined) return undefined;
  const fitting = named.filter((device) => hasAbout(device, memoryGiB));
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** All models of that name, whatever their memory: none, one, or several that only memory tells apart. */
export function knownDevicesNamed(name: string): readonly KnownDevice[] {
  return byWords.get(wordsOf(name)) ?? [];
}

/** Whether a device of that many GiB, as its driver reports them, may be the model. Models without a nominal size always may. */
export function hasAbout({ memoryGiB }: KnownDevice, reportedGiB: number): boolean {
  if (memoryGiB === null) return true;
  return reportedGiB >= memoryGiB * LEAST_OF_NOMINAL && reportedGiB <= memoryGiB * MOST_OF_NOMINAL;
}

const byWords: ReadonlyMap<string, readonly KnownDevice[]> = groupByWords();

function groupByWords(): ReadonlyMap<string, readonly KnownDevice[]> {
  const groups = new Map<string, KnownDevice[]>();
  for (const device of knownDevices) {
    const bare = [device.name, ...device.aliases].map((name) => withoutVendor(name, device.vendor));
    const spellings = bare.flatMap((name) => [wordsOf(name), wordsOf(`${device.vendor} ${name}`)]);
    for (const words of new Set(spellings)) groups.set(words, [...(groups.get(words) ?? []), device]);
  }
  return groups;
}

function withoutVendor(name: string, vendor: KnownVendor): string {
  return name.replace(new RegExp(`^${vendor}\\b`, 'i'), '');
}

/** The words that make the model, in order: lower case, no signs, no memory size, no optional word. */
function wordsOf(name: string): string {
  return name
    .slice(0, MOST_NAME)
    .toLowerCase()
    .replace(/\((r|tm|c)\)|[®™©]/g, ' ')
    .replace(/\s*\((?![^()]*(?:laptop|mobile|notebook|max-q))[^()]*\)\s*$/, ' ')
    .replace(/\b(rtx|gtx|rx)(\d)/g, '$1 $2')
    .split(/[\s\-_/,]+/)
    .filter((word) => word !== '' && !OPTIONAL_WORDS.has(word) && !/^\d+gb$/.test(word))
    .join(' ');
}

function memoryInName(name: string): number | undefined {
  const size = /\b(\d+)\s?GB\b/i.exec(name)?.[1];
  return size === undefined ? undefined : Number(size);
}
