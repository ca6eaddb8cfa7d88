import {
  type Bill,
  computeBill,
  LatentError,
  type LeaseTerms,
  leaseIdSchema,
  parseDollars,
  requiredDeposit,
} from '@latent/protocol';
import { type GasCall, gasWith, type MeasuredGas, measureGas } from './gas/measure-gas.ts';
import { aimAtMost, type Benchmark, type Column, type Row } from './harness/benchmark.ts';
import { nameMembers } from './harness/name-members.ts';

const MEMBERS = [1, 8, 64] as const;
const HOUR = 3_600;
const DAY = 24 * HOUR;
const LENGTHS = [
  { name: '1 h', seconds: HOUR },
  { name: '1 day', seconds: DAY },
  { name: '30 days', seconds: 30 * DAY },
] as const;
const GAS_PRICES = [
  { name: '0.01 gwei', weiPerGas: 10_000_000n },
  { name: '0.05 gwei', weiPerGas: 50_000_000n },
  { name: '0.5 gwei', weiPerGas: 500_000_000n },
] as const;
const TYPICAL = { members: 8, seconds: DAY, weiPerGas: GAS_PRICES[1].weiPerGas } as const;
const ETHER = parseDollars('3000');
const PPM_PER_PERCENT = 10_000;
const UNITS_PER_DOLLAR = 1e6;

/** Every transaction of a lease, in order. */
type Course = readonly GasCall[];
const USUAL: Course = ['openWithAuthorization', 'close'];

const columns: readonly Column[] = [
  { name: 'lease value', unit: '$' },
  { name: 'gas', unit: 'gas' },
  ...GAS_PRICES.flatMap(({ name }) => [
    { name: `at ${name}`, unit: '$' },
    { name: `at ${name}`, unit: '%' },
  ]),
  { name: 'fee', unit: '%' },
];

/** What it costs to bring a lease about, beside what is paid for the devices. */
export const coordination: Benchmark = {
  name: 'coordination',
  summary: 'chain cost and fee of leases at $2 per device-hour, in % of their value, from gas measured in the same run',
  async run(options) {
    const measured = await measureGas(options, MEMBERS);
    const lengths = measured.flatMap((one) =>
      LENGTHS.map(({ name, seconds }) => row(`${nameMembers(one.members)}, ${name}`, one, seconds, USUAL)),
    );
    const eight = gasWith(measured, TYPICAL.members);
    const often = [
      { name: 'at the end only', times: 0 },
      { name: 'and once between', times: 1 },
      { name: 'and every 6 h', times: 3 },
      { name: 'and every hour', times: 23 },
    ].map(({ name, times }) => row(name, eight, DAY, settledBetween(times)));
    const typical = billOf(eight, TYPICAL.seconds, USUAL, TYPICAL.weiPerGas);
    return {
      tables: [
        {
          title: 'Chain cost by gas price, and the fee, in % of the value: opened and closed, two transactions',
          columns,
          rows: lengths,
        },
        {
          title: 'The same for 8 members and 1 day, by how often operators have themselves paid',
          columns,
          rows: often,
        },
      ],
      aims: [
        aimAtMost('chain cost of 8 members for a day at 0.05 gwei', chainPercent(typical), 0.1, '% of value'),
        aimAtMost('fee of 8 members for a day', feePercent(typical), 0.5, '% of value'),
      ],
      notes: [
        'Each member is one operator with one device at $2 per hour; ether at $3,000. The bill is computeBill of @latent/protocol.',
        'Delivered to the last second: value is what was charged. Percentages are rounded up to 0.0001 %.',
        'Steady state. Stake and registration of operators are paid once and not counted, nor is data on a rollup’s parent chain.',
      ],
    };
  },
};

function settledBetween(times: number): Course {
  if (times === 0) return USUAL;
  const next = Array.from({ length: times - 1 }, (): GasCall => 'checkpoint, next');
  return ['openWithAuthorization', 'checkpoint, first', ...next, 'close after checkpoints'];
}

function row(name: string, measured: MeasuredGas, seconds: number, course: Course): Row {
  const bills = GAS_PRICES.map(({ weiPerGas }) => billOf(measured, seconds, course, weiPerGas));
  const [first] = bills;
  if (first === undefined) throw new LatentError('INTERNAL', 'There is no gas price to compute with.');
  return {
    name,
    figures: [
      Number(first.charged) / UNITS_PER_DOLLAR,
      Number(first.gasUsed),
      ...bills.flatMap((bill) => [Number(bill.chainCostUp) / UNITS_PER_DOLLAR, chainPercent(bill)]),
      feePercent(first),
    ],
  };
}

/** The bill of such a lease, had it run to its end with every device delivering all the time. */
function billOf({ terms, gas, feeBps }: MeasuredGas, seconds: number, course: Course, weiPerGas: bigint): Bill {
  const deposit = requiredDeposit(terms.members, seconds);
  const full: LeaseTerms = { ...terms, order: { ...terms.order, deposit, maxSeconds: seconds } };
  const hash = `0x${'0'.repeat(64)}` as const;
  return computeBill({
    leaseId: leaseIdSchema.parse(hash),
    terms: full,
    feeBps,
    paidUnits: terms.members.map(({ devices }) => BigInt(devices * seconds)),
    refund: 0n,
    transactions: course.map((kind) => ({ kind, hash, gasUsed: gas[kind] })),
    prices: { weiPerGas, unitsPerEther: ETHER },
  });
}

function chainPercent(bill: Bill): number {
  return Number(bill.coordination?.chainPpmUp ?? 0n) / PPM_PER_PERCENT;
}

function feePercent(bill: Bill): number {
  return Number(bill.coordination?.feePpmUp ?? 0n) / PPM_PER_PERCENT;
}
