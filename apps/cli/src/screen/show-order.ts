import { formatDollars, hourlyFromRateUp, type Requirements } from '@latent/protocol';
import type { PlacedOrder } from '@latent/sdk';
import { textTable } from './text-table.ts';

/** Why each ask was taken or not, as a table. */
export function showOrder(requirements: Requirements, order: PlacedOrder): string {
  const chosen = new Set(order.chosen.map(({ id }) => id));
  const spares = new Set(order.spares.map(({ id }) => id));
  const refusals = new Map(order.refusals.map((refusal) => [refusal.ask, refusal]));
  const rows = [...order.candidates]
    .sort((a, b) => Number(a.ask.rate - b.ask.rate))
    .map(({ id, ask, resource }) => {
      const refusal = refusals.get(id);
      const verdict = chosen.has(id) ? 'taken' : spares.has(id) ? 'spare' : 'no';
      return [
        shortHex(ask.agentKey),
        resource.region,
        `${ask.devices} × ${resource.kind}`,
        `${resource.cpuCores}`,
        `${(resource.memoryMiB / 1024).toFixed(1)} GiB`,
        `${formatDollars(hourlyFromRateUp(ask.rate))}`,
        verdict,
        chosen.has(id) ? '' : (refusal?.text ?? ''),
      ];
    });
  const wanted = `${requirements.machines} machines, at most ${formatDollars(requirements.maxPricePerDeviceHour)} per device-hour`;
  const table = textTable(['agent', 'region', 'devices', 'cores', 'memory', '$/h', 'taken', 'why'], rows, [
    'cores',
    'memory',
    '$/h',
  ]);
  return `Order: ${wanted}\n${table}`;
}

export function shortHex(hex: string): string {
  return `${hex.slice(0, 8)}…${hex.slice(-4)}`;
}
