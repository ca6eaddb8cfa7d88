import { randomBytes } from 'node:crypto';
import { loadNativeSecp256k1 } from '@latent/kit';
import { loadKernel } from '@latent/proof';
import {
  checkVoucher,
  type EscrowDomain,
  escrowDomain,
  hashVoucher,
  leaseIdSchema,
  messageTypes,
  openDigestSigner,
  type SignedVoucher,
  signVoucher,
  useSigning,
} from '@latent/protocol';
import { bytesToHex, hashTypedData, recoverTypedDataAddress } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { aimAtMost, type Benchmark, type BenchmarkOptions } from './harness/benchmark.ts';
import { nameMembers } from './harness/name-members.ts';
import { percentile } from './harness/percentile.ts';

const MEMBERS = [1, 8, 64, 128] as const;
const ROUNDS = 5;
/** CPU time of one round; long enough that what a clock cannot tell apart does not matter. */
const ROUND_MS = 300;
const AT_ONCE = 10;
/** CPU time of one voucher of 8 members, signed and checked: 5,000 in a second of one core. */
const AIM_US = 200;

type Work = () => Promise<unknown>;
/** What is measured of one way to do it. */
interface Works {
  readonly hash: Work;
  readonly sign: Work;
  readonly check: Work;
  /** Signed by one side, then checked by the other. */
  readonly both: Work;
}
const NAMES = ['hash', 'sign', 'check', 'both'] as const satisfies readonly (keyof Works)[];

/** How many vouchers a cluster's keys can make and agents can take in a second. */
export const vouchers: Benchmark = {
  name: 'vouchers',
  summary: 'vouchers hashed, signed and checked per second of one core: as agents do, in TypeScript alone, and by viem',
  async run(options) {
    const rounds = options.runs ?? ROUNDS;
    const native = { secp256k1: loadNativeSecp256k1(randomBytes), keccak256: (await loadKernel()).hash };
    const ways: readonly Way[] = [
      { name: 'native', use: () => useSigning(native), prepare: prepareOurs },
      { name: 'TypeScript', use: () => useSigning({}), prepare: prepareOurs },
      { name: 'viem', use: () => useSigning({}), prepare: prepareViem },
    ];
    const isNative = (await useSigning(native)).secp256k1;
    const measured: { readonly members: number; readonly perWay: Awaited<ReturnType<typeof measure>> }[] = [];
    try {
      for (const members of MEMBERS) {
        options.onProgress(`vouchers for ${members} members`);
        measured.push({ members, perWay: await measure(ways, members, options) });
      }
    } finally {
      await useSigning({});
    }
    const tables = ways.map(({ name }, way) => ({
      title: `${name}, median of ${rounds} rounds`,
      columns: NAMES.map((column) => ({ name: column, unit: '1/s and core' })),
      rows: measured.map(({ members, perWay }) => ({ name: nameMembers(members), figures: perWay[way] ?? [] })),
    }));
    const eight = measured.find(({ members }) => members === 8)?.perWay[0]?.[NAMES.indexOf('both')] ?? 0;
    return {
      tables,
      aims: [aimAtMost('one voucher of 8 members signed and checked, native', 1e6 / eight, AIM_US, 'µs of one core')],
      notes: [
        ...(isNative ? [] : ['This machine has no native secp256k1: the first table is TypeScript with a WASM hash.']),
        'Per second of CPU time of one process, so that what else runs on the machine matters little.',
        'hash: EIP-712 digest; sign: with the digest, by the meter key; check: digest, recovery of the signer, comparison; both: a voucher signed, and then checked.',
        'native: libsecp256k1 and keccak in WASM, as meters, agents and books choose at their start. TypeScript: the same without them, as in a browser. viem: its signTypedData and recoverTypedDataAddress. In turns, round by round.',
        'Parsing from the wire and storing are not in it.',
      ],
    };
  },
};

interface Way {
  readonly name: string;
  readonly use: () => Promise<unknown>;
  readonly prepare: (members: number) => Promise<Works>;
}

/** For each way the median of each figure. Rounds take turns, so that a disturbance meets all alike. */
async function measure(
  ways: readonly Way[],
  members: number,
  { runs = ROUNDS, signal }: BenchmarkOptions,
): Promise<readonly (readonly number[])[]> {
  const prepared = await Promise.all(ways.map(async (way) => ({ ...way, works: await way.prepare(members) })));
  const rates = prepared.map(() => NAMES.map((): number[] => []));
  for (let round = -1; round < runs; round += 1) {
    for (const [way, { use, works }] of prepared.entries()) {
      await use();
      for (const [figure, name] of NAMES.entries()) {
        const perSecond = await rate(works[name], signal);
        // The first round warms up.
        if (round >= 0) rates[way]?.[figure]?.push(perSecond);
      }
    }
  }
  return rates.map((figures) => figures.map((values) => Math.round(percentile(values, 50) ?? Number.NaN)));
}

function voucherOf(members: number) {
  return {
    leaseId: leaseIdSchema.parse(bytesToHex(randomBytes(32))),
    units: Array.from({ length: members }, (_, index) => 86_400n + BigInt(index)),
    accrueFrom: Array.from({ length: members }, () => 0),
  };
}

function domainOf(): EscrowDomain {
  return { chainId: 31_337, escrow: privateKeyToAccount(generatePrivateKey()).address };
}

async function prepareOurs(members: number): Promise<Works> {
  const meter = openDigestSigner(generatePrivateKey());
  const [domain, voucher] = [domainOf(), voucherOf(members)];
  const lease = { leaseId: voucher.leaseId, order: { meterKey: meter.address }, memberCount: members };
  const signed = await signVoucher(meter, domain, voucher);
  const check = (given: SignedVoucher) => checkVoucher(domain, lease, given);
  return {
    hash: async () => hashVoucher(domain, voucher),
    sign: () => signVoucher(meter, domain, voucher),
    check: () => check(signed),
    both: async () => check(await signVoucher(meter, domain, voucher)),
  };
}

async function prepareViem(members: number): Promise<Works> {
  const meter = privateKeyToAccount(generatePrivateKey());
  const message = voucherOf(members);
  const typed = {
    domain: escrowDomain(domainOf()),
    primaryType: 'Voucher',
    types: { Voucher: messageTypes.Voucher },
    message,
  } as const;
  const signature = await meter.signTypedData(typed);
  const check = async (given: typeof signature) => {
    const signer = await recoverTypedDataAddress({ ...typed, signature: given });
    if (signer !== meter.address) throw new Error(`viem recovers ${signer}`);
  };
  return {
    hash: async () => hashTypedData(typed),
    sign: () => meter.signTypedData(typed),
    check: () => check(signature),
    both: async () => check(await meter.signTypedData(typed)),
  };
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
