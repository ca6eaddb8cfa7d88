import { type ChainClient, connectChain, withChain } from '@latent/sdk';
import { loadNetwork, type Network } from '../../home/network.ts';
import type { SessionPlace } from '../../home/session-store.ts';
import type { CommandContext } from '../../run-command.ts';

export interface ReachedNetwork {
  readonly network: Network;
  readonly chain: ChainClient;
  readonly place: SessionPlace;
}

/** A network of this renter and its chain; waits for one that is down. @throws LatentError CONFIG_INVALID, CHAIN_WRONG */
export async function reachNetwork(
  { home, output, signal }: Pick<CommandContext, 'home' | 'output' | 'signal'>,
  name: string,
): Promise<ReachedNetwork> {
  const network = await loadNetwork(home, name);
  const onWaiting = (error: Error) => output.warn(`Waiting for the chain: ${error.message}`);
  const chain = await withChain(() => connectChain(network.deployment), { signal, onWaiting });
  const { escrow, chainId } = network.deployment;
  return { network, chain, place: { network: name, escrow, chainId } };
}
