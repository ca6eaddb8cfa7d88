import { randomBytes } from 'node:crypto';
import { checkVoucher, type EscrowDomain, hashVoucher, leaseIdSchema, type Order, signVoucher } from '@latent/protocol';
import { bytesToBigInt, bytesToHex, zeroAddress } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import type { Benchmark, BenchmarkOptions } from './harness/benchmark.ts';
import { nameMembers } from './harness/name-members.ts';
import { percentile } from './harness/percentile.ts';

const MEMBERS = [1, 8, 64] as const;
const ROUNDS = 5;
/** CPU time of one round; long enough that what a clock cannot tell apart does not matter. */
const ROUND_MS = 300;
const AT_ONCE = 10;

type Work = () => Promise<unknown>;

/** What the keys of a cluster can do in a second. */
export const vouchers: Benchmark = {
  name: 'vouchers',
  summary: 'vouchers hashed, signed and checked per second of one core',
  async run(options) {
    const rows = [];
    for (const members of MEMBERS) {
      options.onProgress(`vouchers for ${members} members`);
      const { hash, sign, check } = await prepareWork(members);
      const figures = await rates([hash, sign, check], options);
      rows.push({ name: nameMembers(members), figures });
    }
    const rounds = options.runs ?? ROUNDS;
    return {
      tables: [
        {
          title: `Median of ${rounds} rounds`,
          columns: ['hash', 'sign', 'check'].map((name) => ({ name, unit: '1/s and core' })),
          rows,
        },
      ],
      aims: [],
      notes: [
        'Per second of CPU time of one process, so that what else runs on the machine matters little.',
        'hash: EIP-712 digest; sign: with the digest, by the meter key; check: digest, recovery of the signer, comparison.',
        'Signed and checked by viem, in JavaScript; parsing from the wire and storing are not in it.',
      ],
    };
  },
};

async function prepareWork(
  members: number,
): Promise<{ readonly hash: Work; readonly sign: Work; readonly check: Work }> {
  const meter = privateKeyToAccount(generatePrivateKey());
  const domain: EscrowDomain = { chainId: 31_337, escrow: privateKeyToAccount(generatePrivateKey()).address };
  const leaseId = leaseIdSchema.parse(bytesToHex(randomBytes(32)));
  const order: Order = {
    ...{
      renter: meter.address,
      session: zeroAddress,
      meterKey: meter.address,
      deposit: 0n,
      maxSeconds: 3_600,
      closeWindow: 3_600,
    },
    ...{ prepay: 10, maxFeeBps: 50, openBy: 0, workload: leaseId, salt: bytesToBigInt(randomBytes(32)) },
  };
  const voucher = {
    leaseId,
    units: Array.from({ length: members }, () => 86_400n),
    accrueFrom: Array.from({ length: members }, () => 0),
  };
  const signed = await signVoucher(meter, domain, voucher);
  return {
    hash: async () => hashVoucher(domain, voucher),
    sign: () => signVoucher(meter, domain, voucher),
    check: () => checkVoucher(domain, { leaseId, order, memberCount: members }, signed),
  };
}

/** How often each can be done in a second of CPU time; rounds take turns, so that a disturbance meets all alike. */
async function rates(works: readonly Work[], { runs = ROUNDS, signal }: BenchmarkOptions): Promise<(number | null)[]> {
  const measured: number[][] = works.map(() => []);
  for (const work of works) await rate(work, signal);
  for (let round = 0; round < runs; round += 1) {
    for (const [index, work] of works.entries()) measured[index]?.push(await rate(work, signal));
  }
  return measured.map((values) => Math.round(percentile(values, 50) ?? Number.NaN));
}

async function rate(work: Work, signal: AbortSignal): Promise<number> {
  const before = process.cpuUsage();
  let done = 0;
  for (;;) {
    signal.throwIfAborted();
    for (let count = 0; count < AT_ONCE; count += 1) await work();
    done += AT_ONCE;
    const { user, system } = process.cpuUsage(before);
    const seconds = (user + system) / 1e6;
    if (seconds * 1_000 >= ROUND_MS) return done / seconds;
  }
}
