import { type Bill, type CoordinationCost, formatDollars } from '@latent/protocol';
import { shortHex } from './show-order.ts';
import { textTable } from './text-table.ts';

/** The bill for people. Every figure comes from the chain; the price of gas and ether are assumptions and stated. */
export function showBill(bill: Bill): string {
  const isChanged = bill.members.some(({ ended }) => ended !== undefined) || bill.deposits.length > 2;
  const members = textTable(
    ['rank', 'operator', 'devices', ...(isChanged ? ['from', 'until'] : []), 'device-seconds', '$/device-h', 'charge'],
    bill.members.map((member) => [
      String(member.index),
      shortHex(member.operator),
      String(member.devices),
      ...(isChanged ? [showTime(member.from), `${showTime(member.until)} ${member.ended ?? ''}`.trim()] : []),
      String(member.deviceSeconds),
      formatDollars(member.pricePerDeviceHour),
      formatDollars(member.charge),
    ]),
    ['device-seconds', '$/device-h', 'charge'],
  );
  const transactions = textTable(
    ['transaction', 'hash', 'gas'],
    bill.transactions.map(({ kind, hash, gasUsed }) => [kind, hash, String(gasUsed)]),
    ['gas'],
  );
  const refund = bill.refund === undefined ? 'open: comes back when the lease is closed' : formatDollars(bill.refund);
  const lines = [
    ...(isChanged
      ? bill.deposits.slice(0, bill.closed ? -1 : undefined).map(showMove)
      : [['deposit', formatDollars(bill.deposit)]]),
    ['charged', formatDollars(bill.charged)],
    [`protocol fee (${bill.feeBps / 100} %, within the charge)`, formatDollars(bill.fee)],
    ['refund', refund],
    [
      `chain cost (${bill.gasUsed} gas at ${showGwei(bill.prices.weiPerGas)} gwei and ${formatDollars(bill.prices.unitsPerEther)} per ether)`,
      formatDollars(bill.chainCostUp),
    ],
    ['coordination cost, of what was charged', showCoordination(bill.coordination)],
    ['the same, had the lease run its full length', showCoordination(bill.coordinationAtFullLength)],
  ];
  return `Bill of lease ${bill.leaseId}\n\n${members}\n\n${textTable(['', ''], lines, []).trim()}\n\n${transactions}`;
}

function showMove({ kind, amount, place }: Bill['deposits'][number]): string[] {
  return [`deposit ${kind} ${showTime(place.time)}`, formatDollars(amount)];
}

/** In UTC, to the second. */
function showTime(seconds: number | undefined): string {
  return seconds === undefined ? 'now' : new Date(seconds * 1000).toISOString().slice(0, 19).replace('T', ' ');
}

function showGwei(wei: bigint): string {
  return String(Number(wei) / 1e9);
}

function showCoordination(cost: CoordinationCost | undefined): string {
  if (cost === undefined) return 'not measured: nothing was charged';
  return `${showPpm(cost.feePpmUp + cost.chainPpmUp)} (fee ${showPpm(cost.feePpmUp)}, chain ${showPpm(cost.chainPpmUp)})`;
}

function showPpm(ppm: bigint): string {
  return `${(Number(ppm) / 10_000).toFixed(3)} %`;
}
