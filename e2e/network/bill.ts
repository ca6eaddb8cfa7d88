import { expect } from 'vitest';
import { z } from 'zod';
import type { TestNetwork } from './test-network.ts';

const billSchema = z.object({
  deposit: z.coerce.bigint(),
  charged: z.coerce.bigint(),
  fee: z.coerce.bigint(),
  refund: z.coerce.bigint().optional(),
  members: z.array(z.object({ deviceSeconds: z.coerce.bigint(), charge: z.coerce.bigint() })),
  transactions: z.array(z.object({ kind: z.string() })),
});
export type PrintedBill = z.infer<typeof billSchema>;

/** What `latent bill --json` says of a cluster. */
export async function readBill(network: TestNetwork, name: string): Promise<PrintedBill> {
  return parseBill(await network.json(['bill', name]));
}

export function parseBill(json: unknown): PrintedBill {
  return billSchema.parse(json);
}

/** The lease is closed, and not a cent of the deposit is unaccounted for. */
export function expectToAddUp(bill: PrintedBill): void {
  expect(bill.refund).toBeDefined();
  expect(bill.charged + (bill.refund ?? 0n)).toBe(bill.deposit);
  expect(bill.members.reduce((sum, { charge }) => sum + charge, 0n)).toBe(bill.charged);
  expect(bill.fee).toBeLessThanOrEqual(bill.charged);
}
