import type { ProofHeader, ProofRecord, Rates, Verdict } from '@latent/proof';
import { textTable } from './text-table.ts';
import { visibleText } from './visible-text.ts';

/** A proof for people: what its device calls itself, what it came to, and who is said to stand for its times. */
export function showProof(
  record: Pick<ProofRecord, 'device' | 'observer'>,
  header: ProofHeader | undefined,
  verdict: Verdict,
): string {
  const { device, observer } = record;
  const lines = [`${visibleText(device.name)}: ${describeClass(device.class)}, engine ${visibleText(device.engine)}`];
  if (header !== undefined) {
    const { parameters, layers, passes } = header;
    lines.push(
      `set ${parameters.name}, ${layers} layers, ${passes.compute} compute and ${passes.bandwidth} bandwidth passes`,
    );
  }
  lines.push('', ...describeVerdict(verdict));
  if (header?.parameters.name === 'development')
    lines.push('', 'The set `development` is for tests. It says nothing about the device.');
  lines.push('', describeObserver(observer));
  return lines.join('\n');
}

function describeClass(name: ProofRecord['device']['class']): string {
  switch (name) {
    case 'gpu':
      return 'calls itself a GPU';
    case 'cpu':
      return 'calls itself a CPU';
    case 'software':
      return 'calls itself a CPU that pretends to be a GPU, which is never scored as a GPU';
  }
}

function describeVerdict(verdict: Verdict): readonly string[] {
  switch (verdict.outcome) {
    case 'proven':
      return [showRates(verdict.measured, verdict.proven)];
    case 'failed':
      return [`Failed (${verdict.code}): ${visibleText(verdict.reason)}`];
    case 'not measured':
      return [`Not measured (${verdict.code}): ${visibleText(verdict.reason)}`];
  }
}

function showRates(measured: Rates, proven: Rates): string {
  return textTable(
    ['', 'measured', 'proven'],
    [
      ['compute', formatOperations(measured.operationsPerSecond), formatOperations(proven.operationsPerSecond)],
      ['memory', formatMemory(measured.memoryBytes), formatMemory(proven.memoryBytes)],
      ['bandwidth', formatBandwidth(measured.bytesPerSecond), formatBandwidth(proven.bytesPerSecond)],
    ],
    ['measured', 'proven'],
  );
}

function describeObserver(observer: string): string {
  return observer === 'self'
    ? 'The machine drew the beacons and took the times itself: the work is checked, its duration convinces nobody else.'
    : `The file says that beacons and times are those of "${visibleText(observer)}". Nothing in it is signed: anybody could have written that.`;
}

/** Integer operations per second, two for each product, rounded down. */
export function formatOperations(perSecond: bigint): string {
  return perSecond >= 10n ** 12n ? `${decimals(perSecond, 10n ** 12n)} TOPS` : `${decimals(perSecond, 10n ** 9n)} GOPS`;
}

export function formatMemory(bytes: bigint): string {
  return bytes >= 2n ** 30n ? `${decimals(bytes, 2n ** 30n)} GiB` : `${decimals(bytes, 2n ** 20n)} MiB`;
}

export function formatBandwidth(bytesPerSecond: bigint): string {
  return bytesPerSecond >= 10n ** 9n
    ? `${decimals(bytesPerSecond, 10n ** 9n)} GB/s`
    : `${decimals(bytesPerSecond, 10n ** 6n)} MB/s`;
}

/** Three significant figures or all before the point, rounded down. */
function decimals(amount: bigint, unit: bigint): string {
  const whole = amount / unit;
  const places = whole >= 100n ? 0 : whole >= 10n ? 1 : 2;
  const hundredths = ((amount % unit) * 100n) / unit;
  return places === 0 ? whole.toString() : `${whole}.${hundredths.toString().padStart(2, '0').slice(0, places)}`;
}
