import { gasWith, measureGasOn } from './gas/measure-gas.ts';
import { FLOW, type MeasuredJob, measureFlow } from './gas-elsewhere/measure-flow.ts';
import type { Benchmark, Row, Table } from './harness/benchmark.ts';
import { withLocalNetwork } from './harness/local-network.ts';

const COUNTS = [1, 8, 64] as const;

/** The same job, here and on contracts of others. */
export const gasElsewhere: Benchmark = {
  name: 'gas-elsewhere',
  summary:
    'one job here and on contracts that others have published: opened and funded, paid in between, ended with a refund',
  async run(options) {
    return withLocalNetwork(options, { operators: 1 }, async (network) => {
      const own = await measureGasOn(network, options, COUNTS);
      options.onProgress(`${FLOW.name} ${FLOW.version}`);
      const flow = await measureFlow(network, COUNTS, options.signal);
      const tables = COUNTS.map((count): Table => {
        const { gas } = gasWith(own, count);
        const ours = { open: gas.open, pay: gas['checkpoint, first'], end: gas['close after checkpoints'] };
        return {
          title: count === 1 ? 'One recipient' : `${count} recipients`,
          columns: ['open', 'pay in between', 'end', 'all'].map((name) => ({ name, unit: 'gas' })),
          rows: [row('Latent', ours), row(`Sablier Flow ${FLOW.version}`, flow.get(count))],
        };
      });
      return {
        tables,
        aims: [],
        notes: [
          'Whole transactions of one chain in one run, with the same token; every account has been used before. Payers have approved the contract.',
          'Latent: `open`, `checkpoint` with one voucher, `close` with the signature of every agent; it checks asks, takes devices, and pays into balances, from which each operator withdraws once for all leases.',
          'Sablier Flow (`@sablier/flow`, BUSL-1.1 and later GPL; fetched by the benchmark, pinned by its hash, nothing of it kept): `createAndDeposit`; `withdrawMax`; `withdrawMax`, `void` and `refundMax`. One stream and one NFT for each recipient, all of a job in one `batch`. Its fees are set to zero. It pays by time alone and straight to the recipients, and checks no offer, no device and no delivery.',
          'Not measured: x402 batch settlement, of which `@x402/evm` 2.27.0 brings no bytecode; Superfluid, whose package installs eight tools of development; ticket redemption and Filecoin Pay, which stand on a protocol or chain of their own.',
        ],
      };
    });
  },
};

function row(name: string, job: MeasuredJob | undefined): Row {
  if (job === undefined) return { name, figures: [null, null, null, null] };
  return { name, figures: [job.open, job.pay, job.end, job.open + job.pay + job.end].map(Number) };
}
