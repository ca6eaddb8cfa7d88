import { randomBytes } from 'node:crypto';
import { access, rename, writeFile } from 'node:fs/promises';
import type { Command } from '@commander-js/extra-typings';
import { loadOrCreateSecret, SecretFileError } from '@latent/kit';
import { addressSchema, LatentError, parseDollars } from '@latent/protocol';
import { type Address, bytesToHex, type LocalAccount, zeroAddress } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { exitCodes } from '../../exit-codes.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { showDeployed, showPlan } from '../../screen/show-deployment.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';

/** `latent network deploy` */
export function addNetworkDeploy(network: Command): void {
  network
    .command('deploy')
    .summary('put the contracts on a chain, or go on with it, and verify the result')
    .requiredOption('--rpc <url>', 'RPC endpoint of the chain')
    .requiredOption('--chain-id <id>', 'the chain that is meant: another one is refused')
    .option('--token <address>', 'stablecoin with 6 decimals; on a local chain a test dollar is created unless given')
    .requiredOption('--treasury <address>', 'where the fee goes; best a contract wallet')
    .option('--fee-bps <count>', 'fee in 1/10,000 of what operators are paid, 0 to 50', '30')
    .option('--stake <dollars>', 'what an operator stakes for each agent', '100')
    .option('--permit2 <address>', 'Permit2, or "none"; by default the usual one if the chain has it')
    .requiredOption('--key-file <file>', 'the key that pays: 32 bytes that only you can read')
    .option('--out <file>', 'where to write the deployment', 'deployment.json')
    .option('--yes', 'do it; without it the plan and its cost are shown, and nothing is sent')
    .option(...JSON_OPTION)
    .addHelpText(
      'after',
      '\nExample:\n  $ latent network deploy --rpc https://rpc.example --chain-id 8453 --token 0x… --treasury 0x… --key-file deployer.key',
    )
    .action((flags) => runCommand(flags, (context) => deploy(context, flags)));
}

interface DeployFlags {
  readonly rpc: string;
  readonly chainId: string;
  readonly token?: string | undefined;
  readonly treasury: string;
  readonly feeBps: string;
  readonly stake: string;
  readonly permit2?: string | undefined;
  readonly keyFile: string;
  readonly out: string;
  readonly yes?: true | undefined;
}

async function deploy({ output }: CommandContext, flags: DeployFlags): Promise<number> {
  const { connectDeployer, deployContracts, planDeployment } = await import('@latent/chain/deploy');
  const chainId = readCount('--chain-id', flags.chainId);
  const terms = {
    token: flags.token === undefined ? undefined : readAddress('--token', flags.token),
    treasury: readAddress('--treasury', flags.treasury),
    feeBps: readCount('--fee-bps', flags.feeBps),
    stakePerAgent: parseDollars(flags.stake),
    permit2: readPermit2(flags.permit2),
  };
  if (!URL.canParse(flags.rpc)) throw new LatentError('CONFIG_INVALID', '--rpc wants a URL.');
  const account = await loadDeployer(flags.keyFile);
  const chain = connectDeployer(flags.rpc, chainId);
  const plan = await planDeployment(chain, { chainId, deployer: account.address, terms });
  output.line(showPlan(plan));
  if (flags.yes !== true) {
    output.line('\nNothing was sent. To do it: the same command with --yes.');
    output.result({
      plan: { ...plan, creations: plan.creations.map(({ name, address, gas }) => ({ name, address, gas })) },
    });
    return exitCodes.ok;
  }
  const onSent = (name: string, hash: string) => output.line(`· ${name}: sent as ${hash}`);
  const deployment = await deployContracts(chain, account, plan, { onSent });
  await writeWhole(flags.out, `${JSON.stringify(deployment, undefined, 2)}\n`);
  output.line(showDeployed(deployment, flags.out));
  output.result({ deployment });
  return exitCodes.ok;
}

/** Never half a file: others read it. */
async function writeWhole(path: string, text: string): Promise<void> {
  try {
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  } catch (cause) {
    throw new LatentError('CONFIG_INVALID', `${path} cannot be written; the contracts are deployed.`, {
      hint: 'The same command with another --out writes it; nothing is sent again.',
      cause,
    });
  }
}

async function loadDeployer(path: string): Promise<LocalAccount> {
  try {
    await access(path);
    return privateKeyToAccount(bytesToHex(await loadOrCreateSecret(path, 32, randomBytes)));
  } catch (cause) {
    const why = cause instanceof SecretFileError ? cause.message : `${path} cannot be read`;
    throw new LatentError('CONFIG_INVALID', `The deployer's key: ${why}.`, {
      hint: 'To make one: head -c 32 /dev/urandom > deployer.key && chmod 600 deployer.key',
      cause,
    });
  }
}

function readAddress(option: string, text: string): Address {
  const parsed = addressSchema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new LatentError('CONFIG_INVALID', `${option} wants an address, not "${text.slice(0, 60)}".`);
}

function readPermit2(text: string | undefined): Address | undefined {
  if (text === undefined) return undefined;
  return text === 'none' ? zeroAddress : readAddress('--permit2', text);
}

function readCount(option: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new LatentError('CONFIG_INVALID', `${option} wants a whole number, not "${text.slice(0, 40)}".`);
}
