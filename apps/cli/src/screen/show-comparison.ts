import type { ClaimComparison, ComparedNumber } from '@latent/proof/devices';
import { formatBandwidth, formatMemory, formatOperations } from './show-proof.ts';
import { textTable } from './text-table.ts';

/** What was measured beside what the maker says of the model that the device calls itself. */
export function showComparison({ claim, known, operations, memory, bandwidth, reason }: ClaimComparison): string {
  if (known === undefined) return `"${claim.name}" is not compared with any model: ${reason ?? 'it is not known'}.`;
  const row = (name: string, { reference, ratio, verdict }: ComparedNumber, format: (amount: bigint) => string) => [
    name,
    reference === undefined ? 'not known' : format(reference),
    ratio === undefined ? '' : `${Math.floor(ratio * 100)} %`,
    verdict,
  ];
  const rows = [
    row('compute', operations, formatOperations),
    row('memory', memory, formatMemory),
    row('bandwidth', bandwidth, formatBandwidth),
  ];
  return `It calls itself "${claim.name}". Beside the figures of ${known.name}:\n${textTable(['', 'on paper', 'reached', ''], rows, ['on paper', 'reached'])}`;
}
