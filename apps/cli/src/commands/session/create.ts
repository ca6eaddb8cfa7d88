import type { Command } from '@commander-js/extra-typings';
import { systemClock } from '@latent/kit';
import { formatDollars, LatentError, parseDollars, rateFromHourlyDown } from '@latent/protocol';
import { defaultGasPrices, grantSession, readBalances, readChainTime, sendEther, weiForGas } from '@latent/sdk';
import { formatEther } from 'viem';
import { loadRenter } from '../../home/network.ts';
import { createSession, listSessions } from '../../home/session-store.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { askLeave } from '../../screen/ask-leave.ts';
import { showTime } from '../../screen/show-cluster.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';
import { readDurationMs } from '../meter/read-duration.ts';
import { type ReachedNetwork, reachNetwork } from './reach-network.ts';

/** Leases that the key is given gas for, each opened and closed, at twice what gas costs now. */
const LEASES_OF_GAS = 20n;
/** To open and close a lease of a good dozen machines. `contracts/snapshots` has what each number costs. */
const GAS_PER_LEASE = 800_000n;
const PRICE_TIMES = 2n;
/** How long the granting transaction stays good. */
const GRANT_SECONDS = 600;

/** `latent session create` */
export function addSessionCreate(session: Command): void {
  session
    .command('create')
    .summary('let a key on this machine rent for you, within limits; you sign once')
    .description(
      'Makes a key that can open leases from your balance in the escrow, and nothing else: it cannot take money out. From then on launch asks for nothing.',
    )
    .requiredOption('--spend <dollars>', 'most that all its leases may hold or cost together')
    .requiredOption('--per-hour <dollars>', 'most to pay for one device and hour')
    .option('--devices <count>', 'most devices of one lease', '8')
    .option('--for <time>', 'how long it is good: 12h, 30d', '30d')
    .option('--deposit <dollars>', 'money to move into your balance (default: what it lacks to the sum of --spend)')
    .option('--name <name>', 'name of the session')
    .option('-y, --yes', 'do not ask before it is signed')
    .option('--network <name>', 'network to rent on', 'devnet')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent session create --spend 50 --per-hour 2.50 --devices 8 --for 30d')
    .action((flags) => runCommand(flags, (context) => create(context, flags)));
}

interface CreateFlags {
  readonly spend: string;
  readonly perHour: string;
  readonly devices: string;
  readonly for: string;
  readonly deposit?: string | undefined;
  readonly name?: string | undefined;
  readonly yes?: true | undefined;
  readonly network: string;
}

async function create(context: CommandContext, flags: CreateFlags): Promise<undefined> {
  const { home, output } = context;
  const wanted = readFlags(flags);
  const reached = await reachNetwork(context, flags.network);
  const { chain, network, place } = reached;
  const renter = await loadRenter(network);
  const nowSeconds = await readChainTime(chain);
  const validUntil = nowSeconds + wanted.seconds;
  const balances = await readBalances(chain, renter.address);
  const lacking = wanted.spend > balances.inEscrow ? wanted.spend - balances.inEscrow : 0n;
  const deposit = wanted.deposit ?? lacking;
  const gasMoney = await weiForGas(chain, LEASES_OF_GAS * GAS_PER_LEASE, PRICE_TIMES);
  refuseTooPoor(deposit, gasMoney, balances);

  for (const line of showGrant({ ...wanted, deposit, gasMoney, validUntil, inEscrow: balances.inEscrow }))
    output.line(line);
  const refused = 'Nothing was signed, nothing was paid.';
  await askLeave(context, 'Sign it?', { yes: flags.yes ?? false, refused });

  const name = await freeName(context, reached, flags.name);
  const created = { name, renter: renter.address, createdAtMs: systemClock.nowMs() };
  const session = await createSession(home, place, created);
  const { spend: spendLimit, maxRate, devices: maxDevices } = wanted;
  const limits = { key: session.key, spendLimit, maxRate, maxDevices, validUntil };
  await grantSession(chain, { renter, limits, deposit, grantBy: nowSeconds + GRANT_SECONDS });
  await sendEther(chain, renter, session.key, gasMoney);
  output.line(`\nSession "${name}" is ready. Launch as usual: it pays, and nothing more has to be signed.`);
  output.result({ name, renter: renter.address, ...limits, deposit, gasMoneyWei: gasMoney });
}

function readFlags(flags: CreateFlags) {
  const devices = Number(flags.devices);
  if (!/^\d{1,5}$/.test(flags.devices) || devices < 1) {
    throw new LatentError('CONFIG_INVALID', `--devices wants a number from 1, not "${flags.devices.slice(0, 20)}".`);
  }
  const [spend, perHour] = [parseDollars(flags.spend), parseDollars(flags.perHour)];
  if (spend === 0n || perHour === 0n) {
    throw new LatentError('CONFIG_INVALID', 'A session that may spend nothing cannot rent anything.', {
      hint: 'Give --spend and --per-hour in dollars.',
    });
  }
  return {
    ...{ spend, perHour, devices, maxRate: rateFromHourlyDown(perHour) },
    seconds: Math.floor(readDurationMs(flags.for) / 1000),
    deposit: flags.deposit === undefined ? undefined : parseDollars(flags.deposit),
  };
}

function refuseTooPoor(
  deposit: bigint,
  gasMoney: bigint,
  { inWallet, ether }: { readonly inWallet: bigint; readonly ether: bigint },
): void {
  if (deposit > inWallet) {
    throw new LatentError(
      'FUNDS_TOO_LOW',
      `${formatDollars(deposit)} would be moved into your balance; the wallet holds ${formatDollars(inWallet)}.`,
      { hint: 'Give a smaller --deposit, or send money to the wallet: latent balance show' },
    );
  }
  if (gasMoney >= ether) {
    throw new LatentError(
      'FUNDS_TOO_LOW',
      `The session key would get ${formatEther(gasMoney)} ether for gas; the wallet holds ${formatEther(ether)}.`,
      { hint: 'Send some ether of this chain to the wallet: latent balance show' },
    );
  }
}

interface Grant {
  readonly spend: bigint;
  readonly perHour: bigint;
  readonly devices: number;
  readonly validUntil: number;
  readonly deposit: bigint;
  readonly gasMoney: bigint;
  readonly inEscrow: bigint;
}

/** All that the signature allows, in words. */
function showGrant(grant: Grant): readonly string[] {
  const { spend, perHour, devices, validUntil, deposit, gasMoney, inEscrow } = grant;
  const { unitsPerEther } = defaultGasPrices;
  const gasDollars = formatDollars((gasMoney * unitsPerEther) / 10n ** 18n);
  return [
    'A key on this machine may rent for you:',
    `  per hour     ${formatDollars(perHour)} for a device, ${formatDollars(perHour * BigInt(devices))} for a lease of ${devices} devices, at most`,
    `  in total     ${formatDollars(spend)} held or spent by all its leases together, at most`,
    `  until        ${showTime(validUntil * 1000)}`,
    `  your money   ${formatDollars(deposit)} moves from your wallet into your balance, which then holds ${formatDollars(inEscrow + deposit)}`,
    `  for gas      ${formatEther(gasMoney)} ether from your wallet to the key (${gasDollars} at ${formatDollars(unitsPerEther)} per ether), for ${LEASES_OF_GAS} leases or more`,
    'It cannot take money out. What a lease does not use comes back to your balance; latent balance withdraw gets it out.',
  ];
}

/** @throws LatentError CONFIG_INVALID if the name is taken */
async function freeName(
  { home }: CommandContext,
  { place }: ReachedNetwork,
  given: string | undefined,
): Promise<string> {
  const taken = new Set((await listSessions(home, place)).map(({ name }) => name));
  if (given !== undefined && taken.has(given)) {
    throw new LatentError('CONFIG_INVALID', `There is a session named "${given}" already.`, {
      hint: `Give another --name, or end that one: latent session revoke ${given}`,
    });
  }
  for (let number = 1; ; number += 1) {
    const name = given ?? `session-${number}`;
    if (!taken.has(name)) return name;
  }
}
