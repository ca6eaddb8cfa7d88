import { writeFile } from 'node:fs/promises';
import type { Command } from '@commander-js/extra-typings';
import {
  auditLease,
  type Bill,
  billStanding,
  type Check,
  type Deployment,
  formatDollars,
  type GasPrices,
  LatentError,
  type LeaseId,
  leaseIdSchema,
  parseDollars,
  type SignedVoucher,
} from '@latent/protocol';
import {
  type ClusterRecord,
  defaultGasPrices,
  formatVoucherFile,
  MAX_VOUCHER_FILE_BYTES,
  parseVoucherFile,
  readEvidence,
  withChain,
} from '@latent/sdk';
import { parseGwei } from 'viem';
import { openReader } from '../../chain/open-reader.ts';
import { exitCodes } from '../../exit-codes.ts';
import { loadDeployment } from '../../home/deployment-file.ts';
import { loadNetwork } from '../../home/network.ts';
import { readBoundedFile } from '../../home/read-bounded-file.ts';
import { openRelayStore } from '../../home/relay-store.ts';
import { chooseCluster } from '../../launch/choose-cluster.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { billCsv } from '../../screen/bill-csv.ts';
import { showAudit } from '../../screen/show-audit.ts';
import { showBill } from '../../screen/show-bill.ts';
import { spentSoFar } from '../../screen/show-cluster.ts';
import { showRelayLeases } from '../../screen/show-relay.ts';
import { JSON_OPTION } from './common-options.ts';

/** `latent bill [NAME|LEASE]` */
export function addBill(program: Command): void {
  program
    .command('bill')
    .summary('show what a lease cost, from the chain alone')
    .argument('[name]', 'cluster, or the id of any lease (0x…)')
    .option('--verify', 'recompute every figure, and compare it with what the chain states')
    .option('--voucher <file>', 'last voucher of the lease, to verify with; by default that of the cluster')
    .option('--save-voucher <file>', "write the cluster's last voucher to a file, for others to verify with")
    .option('--rpc <url>', 'RPC endpoint to read at; given more than once, all have to state the same', addUrl, [])
    .option('--deployment <file>', 'where the contracts are, for a lease given by id; nothing else is needed then')
    .option('--csv <file>', 'write members, deposit and transactions as a table')
    .option('--gas-gwei <gwei>', 'price of gas to state chain cost at', '0.05')
    .option('--ether <dollars>', 'price of ether to state chain cost at', '3000')
    .option('--network <name>', 'network of a lease given by id', 'devnet')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      '\nExample:\n  $ latent bill digits --gas-gwei 0.01\n  $ latent bill 0x… --verify --deployment deployment.json --rpc https://rpc.example',
    )
    .action((name, flags) => runCommand(flags, (context) => bill(context, name, flags)));
}

function addUrl(url: string, before: readonly string[]): readonly string[] {
  return [...before, url];
}

interface BillFlags {
  readonly verify?: true | undefined;
  readonly voucher?: string | undefined;
  readonly saveVoucher?: string | undefined;
  readonly rpc: readonly string[];
  readonly deployment?: string | undefined;
  readonly csv?: string | undefined;
  readonly gasGwei: string;
  readonly ether: string;
  readonly network: string;
}

/** The lease that is meant, and what is kept of it on this machine. */
interface Meant {
  readonly leaseId: LeaseId;
  readonly deployment: Deployment;
  readonly record: ClusterRecord | undefined;
}

async function bill(context: CommandContext, name: string | undefined, flags: BillFlags): Promise<number> {
  const { output } = context;
  const prices = { ...defaultGasPrices, weiPerGas: readGwei(flags.gasGwei), unitsPerEther: parseDollars(flags.ether) };
  const meant = await findLease(context, name, flags);
  if (flags.saveVoucher !== undefined) await saveVoucher(context, meant, flags.saveVoucher);
  const computed = await compute(context, meant, prices, flags);
  output.line(showBill(computed.bill));
  const { record } = meant;
  if (record !== undefined && !computed.bill.closed) {
    output.line(`\nNot on the chain yet: what was delivered up to now comes to ${formatDollars(spentSoFar(record))}.`);
  }
  if (record !== undefined) for (const line of relayLines(context, record)) output.line(line);
  if (flags.csv !== undefined) await write(flags.csv, billCsv(computed.bill));
  if (flags.verify !== true) {
    output.result(computed.bill);
    return exitCodes.ok;
  }
  const { isRight, checks } = computed;
  output.line(`\n${showAudit({ isRight, checks })}`);
  output.result({ bill: computed.bill, verdict: isRight ? 'verified' : 'wrong', checks });
  return isRight ? exitCodes.ok : exitCodes.failed;
}

function relayLines({ home }: CommandContext, { leaseId }: ClusterRecord): readonly string[] {
  const relays = openRelayStore(home);
  const lines = showRelayLeases(relays.of(leaseId).leases());
  relays.close();
  return lines.length === 0 ? [] : ['', ...lines];
}

async function findLease({ home, store }: CommandContext, name: string | undefined, flags: BillFlags): Promise<Meant> {
  const id = leaseIdSchema.safeParse(name);
  if (flags.deployment !== undefined) {
    if (id.success) return { leaseId: id.data, deployment: await loadDeployment(flags.deployment), record: undefined };
    throw new LatentError('CONFIG_INVALID', 'With --deployment the lease is given by its id, 0x and 64 digits.', {
      hint: 'latent status --json names the id of a cluster.',
    });
  }
  const record = id.success ? undefined : chooseCluster(store, name);
  const { deployment } = await loadNetwork(home, record?.network ?? flags.network);
  if (record !== undefined) return { leaseId: record.leaseId, deployment, record };
  return { leaseId: leaseIdSchema.parse(name), deployment, record };
}

async function compute(
  { output, signal }: CommandContext,
  { leaseId, deployment, record }: Meant,
  prices: GasPrices,
  flags: BillFlags,
): Promise<{ readonly bill: Bill; readonly isRight: boolean; readonly checks: readonly Check[] }> {
  const voucher = flags.voucher === undefined ? (record?.voucher ?? undefined) : await readVoucher(flags.voucher);
  const reader = await openReader(deployment.chainId, flags.rpc.length === 0 ? [deployment.rpcUrl] : flags.rpc);
  const onWaiting = (error: Error) => output.warn(`Waiting for the chain: ${error.message}`);
  const read = () => readEvidence(reader, deployment, leaseId);
  // Endpoints that somebody named just now are not waited for.
  const isNamed = flags.rpc.length > 0 || flags.deployment !== undefined;
  const evidence = isNamed ? await read() : await withChain(read, { signal, onWaiting });
  const { standing, deposits, checks, isRight } = await auditLease(evidence, voucher);
  if (standing === undefined) {
    throw new LatentError('CHAIN_WRONG', `The log of lease ${leaseId} does not begin with its opening.`, {
      hint: 'Is `deployedAtBlock` of the deployment later than the lease?',
    });
  }
  return { bill: billStanding(evidence, { standing, deposits }, prices), isRight, checks };
}

async function readVoucher(path: string): Promise<SignedVoucher> {
  return parseVoucherFile(await readBoundedFile(path, MAX_VOUCHER_FILE_BYTES, 'a voucher')).voucher;
}

async function saveVoucher({ output }: CommandContext, { record, deployment }: Meant, path: string): Promise<void> {
  if (record === undefined || record.voucher === null) {
    throw new LatentError('CONFIG_INVALID', 'No voucher is kept here for this lease.', {
      hint: 'Name a cluster of this machine whose job has run.',
    });
  }
  await write(path, formatVoucherFile(record.voucher, deployment));
  output.line(`The last voucher is in ${path}.\n`);
}

async function write(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 }).catch((cause: unknown) => {
    throw new LatentError('CONFIG_INVALID', `${path} cannot be written.`, { hint: 'Give another path.', cause });
  });
}

function readGwei(text: string): bigint {
  if (!/^\d{1,9}(\.\d{1,9})?$/.test(text))
    throw new LatentError('CONFIG_INVALID', `--gas-gwei wants a number like 0.05, not "${text.slice(0, 20)}".`);
  return parseGwei(text);
}
