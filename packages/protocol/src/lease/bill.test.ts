import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressSchema, askIdSchema, leaseIdSchema } from '../ids.ts';
import { requiredDeposit } from '../messages/order.ts';
import { type BillInput, computeBill } from './bill.ts';

const prices = { weiPerGas: 50_000_000n, unitsPerEther: 3_000_000_000n };
const leaseId = leaseIdSchema.parse(`0x${'a'.repeat(64)}`);
const operator = addressSchema.parse(`0x${'1'.repeat(40)}`);

function makeInput(
  change: {
    readonly rates?: readonly bigint[];
    readonly devices?: number;
    readonly seconds?: number;
  } & Partial<BillInput>,
): BillInput {
  const { rates = [555_555_555_555n], devices = 8, seconds = 86_400, ...rest } = change;
  const members = rates.map((rate) => ({
    ask: askIdSchema.parse(`0x${'b'.repeat(64)}`),
    operator,
    agentKey: operator,
    devices,
    rate,
  }));
  const order = {
    renter: operator,
    session: operator,
    meterKey: operator,
    deposit: requiredDeposit(members, seconds),
    maxSeconds: seconds,
    closeWindow: 900,
    prepay: 10,
    maxFeeBps: 50,
    openBy: 0,
    workload: leaseId,
    salt: 0n,
  };
  return {
    leaseId,
    terms: { order, members },
    feeBps: 30,
    paidUnits: [],
    refund: undefined,
    transactions: [],
    prices,
    ...rest,
  };
}

describe('computeBill', () => {
  it('charges eight devices at $2/h for a day $384, of which 0.3 % is the fee', () => {
    const bill = computeBill(makeInput({ paidUnits: [8n * 86_400n], refund: 0n }));
    expect(bill.charged).toBe(383_999_999n);
    expect(bill.fee).toBe(1_151_999n);
  });

  it('states the cost of the chain at the given prices, rounded up', () => {
    const transactions = [{ kind: 'open', hash: leaseId, gasUsed: 361_755n }];
    expect(computeBill(makeInput({ transactions })).chainCostUp).toBe(54_264n);
  });

  it('says "not measured" rather than zero where nothing was charged', () => {
    expect(computeBill(makeInput({})).coordination).toBeUndefined();
  });

  it('is open until there is a refund', () => {
    expect(computeBill(makeInput({})).closed).toBe(false);
    expect(computeBill(makeInput({ refund: 0n })).closed).toBe(true);
  });

  it('never charges more than the deposit, nor takes more fee than its share', () => {
    const member = fc.record({ rate: fc.bigInt({ min: 1n, max: 2n ** 63n }), share: fc.nat({ max: 100 }) });
    fc.assert(
      fc.property(
        fc.array(member, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 64 }),
        fc.integer({ min: 1, max: 10_000_000 }),
        (members, devices, seconds) => {
          const input = makeInput({ rates: members.map(({ rate }) => rate), devices, seconds });
          const full = BigInt(devices) * BigInt(seconds);
          const bill = computeBill({ ...input, paidUnits: members.map(({ share }) => (full * BigInt(share)) / 100n) });
          expect(bill.charged).toBeLessThanOrEqual(bill.deposit);
          expect(bill.fee * 10_000n).toBeLessThanOrEqual(bill.charged * BigInt(bill.feeBps));
        },
      ),
    );
  });
});
