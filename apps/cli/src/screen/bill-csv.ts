import type { Bill } from '@latent/protocol';

const COLUMNS = [
  ...['row', 'index', 'operator', 'devices', 'from', 'until', 'ended', 'device_seconds', 'rate_1e9_units'],
  ...['amount_units', 'fee_units', 'gas', 'wei_per_gas', 'block', 'time', 'transaction'],
] as const;
type Cells = Partial<Record<(typeof COLUMNS)[number], string | number | bigint | undefined>>;

/**
 * A bill as CSV (RFC 4180): one row for each member, movement of the deposit and transaction, then the totals. Amounts in
 * base units (millionths of a dollar), times in unix seconds.
 */
export function billCsv(bill: Bill): string {
  const rows: readonly Cells[] = [
    ...bill.members.map((one) => ({
      ...{ row: 'member', index: one.index, operator: one.operator, devices: one.devices },
      ...{ from: one.from, until: one.until, ended: one.ended, device_seconds: one.deviceSeconds },
      ...{ rate_1e9_units: one.rate, amount_units: one.charge, fee_units: one.fee },
    })),
    ...bill.deposits.map(({ kind, amount, place }) => ({
      ...{ row: `deposit ${kind}`, amount_units: amount, block: place.block, time: place.time },
      transaction: place.transaction,
    })),
    ...bill.transactions.map(({ kind, hash, gasUsed, weiPerGas, block, time }) => {
      return { row: `transaction ${kind}`, gas: gasUsed, wei_per_gas: weiPerGas, block, time, transaction: hash };
    }),
    { row: 'charged', amount_units: bill.charged, fee_units: bill.fee },
    { row: 'refund', amount_units: bill.refund },
  ];
  const lines = rows.map((row) => COLUMNS.map((column) => String(row[column] ?? '')).join(','));
  return `${[COLUMNS.join(','), ...lines].join('\r\n')}\r\n`;
}
