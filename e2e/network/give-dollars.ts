import { parseDollars, testDollarAbi } from '@latent/protocol';
import { type ChainClient, encodeCall, sendTransaction } from '@latent/sdk';
import type { Address, LocalAccount } from 'viem';

const PLENTY = parseDollars('1000000');

/** Mints dollars of the local network. @param sender pays the gas */
export async function giveDollars(chain: ChainClient, sender: LocalAccount, to: Address): Promise<void> {
  const data = encodeCall({ abi: testDollarAbi, functionName: 'mint', args: [to, PLENTY] });
  await sendTransaction(chain, sender, { to: chain.deployment.token, data });
}
