import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LatentError } from '@latent/protocol';
import { encodeCall, sendTransaction } from '@latent/sdk';
import {
  type Address,
  concatHex,
  createWalletClient,
  encodeAbiParameters,
  erc20Abi,
  type Hex,
  http,
  maxUint256,
  parseAbi,
  zeroAddress,
} from 'viem';
import { generatePrivateKey, privateKeyToAddress } from 'viem/accounts';
import type { LocalNetwork } from '../harness/local-network.ts';
import { fetchPackage, type PinnedPackage, readBytecode } from './fetch-package.ts';

/** What one stretch of service costs from its opening to its end. */
export interface MeasuredJob {
  readonly open: bigint;
  readonly pay: bigint;
  readonly end: bigint;
}

/**
 * Sablier Flow (BUSL-1.1, GPL from its change date on; only called here, and nothing of it kept). Not a dependency: one of its
 * own runs a script when it is installed.
 */
export const FLOW: PinnedPackage = {
  name: '@sablier/flow',
  version: '3.0.1',
  integrity: 'sha512-P7r2tMHRTS3KadYzwd4iEzHaSbKzPQfM+W1LI1lqQ11VhbRR0sqFjE71V6jr+QQPA3ns/L1KLf24Op5VOIvPDg==',
};
const UTILS: PinnedPackage = {
  name: '@sablier/evm-utils',
  version: '2.0.1',
  integrity: 'sha512-LRyCMKTHMbnUbiTTO1IGsCVXzl+KL63K3qSjynwmXOZhUfPDE0MIqvvRlvF34JukWGy60IkdmnsPD0lWk+fzuw==',
};

const flowAbi = parseAbi([
  'function nextStreamId() view returns (uint256)',
  'function createAndDeposit(address sender, address recipient, uint128 ratePerSecond, uint40 startTime, address token, bool transferable, uint128 amount) payable returns (uint256)',
  'function withdrawMax(uint256 streamId, address to) payable returns (uint128)',
  'function refundMax(uint256 streamId) payable returns (uint128)',
  'function void(uint256 streamId) payable',
  'function batch(bytes[] calls) payable returns (bytes[])',
]);
const comptrollerAbi = parseAbi([
  'function initialize(address admin, uint256 airdrops, uint256 bob, uint256 flow, uint256 lockup, address oracle)',
]);

/** $2 an hour with 18 decimals, for two hours. */
const RATE = (2n * 10n ** 18n) / 3_600n;
const DEPOSIT = 4_000_000n;

/** Streams from one renter to so many recipients, who have had streams before: created and funded, paid in between, ended. */
export async function measureFlow(
  network: LocalNetwork,
  counts: readonly number[],
  signal: AbortSignal,
): Promise<ReadonlyMap<number, MeasuredJob>> {
  const flow = await deployFlow(network, signal);
  const { chain, renter } = network;
  const { token } = chain.deployment;
  const approve = encodeCall({ abi: erc20Abi, functionName: 'approve', args: [flow, maxUint256] });
  await sendTransaction(chain, renter, { to: token, data: approve });
  const recipients = Array.from({ length: Math.max(...counts) }, () => privateKeyToAddress(generatePrivateKey()));
  await runJob(network, flow, recipients);
  const measured = new Map<number, MeasuredJob>();
  for (const count of counts) measured.set(count, await runJob(network, flow, recipients.slice(0, count)));
  return measured;
}

async function runJob(network: LocalNetwork, flow: Address, recipients: readonly Address[]): Promise<MeasuredJob> {
  const { chain, renter, control } = network;
  const { token } = chain.deployment;
  const pass = async () => {
    await control.increaseTime({ seconds: 1_800 });
    await control.mine({ blocks: 1 });
  };
  /** One call as it is, more in one transaction. */
  const send = async (calls: readonly Hex[]) => {
    const [first] = calls;
    if (first === undefined) throw new LatentError('INTERNAL', 'There is nothing to send.');
    const data = calls.length === 1 ? first : encodeCall({ abi: flowAbi, functionName: 'batch', args: [calls] });
    return (await sendTransaction(chain, renter, { to: flow, data })).gasUsed;
  };
  const next = await chain.public.readContract({ address: flow, abi: flowAbi, functionName: 'nextStreamId' });
  const streams = recipients.map((to, index) => ({ to, id: next + BigInt(index) }));
  const open = await send(
    recipients.map((to) =>
      encodeCall({
        abi: flowAbi,
        functionName: 'createAndDeposit',
        args: [renter.address, to, RATE, 0, token, false, DEPOSIT],
      }),
    ),
  );
  await pass();
  const withdraw = ({ id, to }: (typeof streams)[number]) =>
    encodeCall({ abi: flowAbi, functionName: 'withdrawMax', args: [id, to] });
  const pay = await send(streams.map(withdraw));
  await pass();
  const end = await send(
    streams.flatMap((stream) => [
      withdraw(stream),
      encodeCall({ abi: flowAbi, functionName: 'void', args: [stream.id] }),
      encodeCall({ abi: flowAbi, functionName: 'refundMax', args: [stream.id] }),
    ]),
  );
  const left = await chain.public.readContract({
    address: token,
    abi: erc20Abi,
    functionName: 'balanceOf',
    args: [flow],
  });
  if (left > BigInt(recipients.length))
    throw new LatentError('INTERNAL', `${left} base units were left in the streams.`);
  return { open, pay, end };
}

async function deployFlow(network: LocalNetwork, signal: AbortSignal): Promise<Address> {
  const { renter } = network;
  const folders = [await mkdtemp(join(tmpdir(), 'latent-flow-')), await mkdtemp(join(tmpdir(), 'latent-flow-'))];
  try {
    const [flow = '', utils = ''] = folders;
    const [own, shared] = [await fetchPackage(FLOW, flow, signal), await fetchPackage(UTILS, utils, signal)];
    const addresses = (...list: readonly Address[]) =>
      encodeAbiParameters(
        list.map(() => ({ type: 'address' })),
        list,
      );
    const logic = await create(network, await readBytecode(shared, 'SablierComptroller'), addresses(renter.address));
    const initialize = encodeCall({
      abi: comptrollerAbi,
      functionName: 'initialize',
      args: [renter.address, 0n, 0n, 0n, 0n, zeroAddress],
    });
    const proxyArgs = encodeAbiParameters([{ type: 'address' }, { type: 'bytes' }], [logic, initialize]);
    const comptroller = await create(network, await readBytecode(shared, 'ERC1967Proxy'), proxyArgs);
    const descriptor = await create(network, await readBytecode(own, 'FlowNFTDescriptor'), '0x');
    return await create(network, await readBytecode(own, 'SablierFlow'), addresses(comptroller, descriptor));
  } finally {
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  }
}

async function create({ chain, renter }: LocalNetwork, bytecode: Hex, args: Hex): Promise<Address> {
  const transport = http(chain.deployment.rpcUrl, { retryCount: 0 });
  const wallet = createWalletClient({ account: renter, chain: chain.chain, transport });
  const hash = await wallet.sendTransaction({ data: concatHex([bytecode, args]) });
  const { contractAddress } = await chain.public.waitForTransactionReceipt({ hash });
  if (contractAddress == null) throw new LatentError('CHAIN_REVERTED', 'A contract of the comparison was not created.');
  return contractAddress;
}
