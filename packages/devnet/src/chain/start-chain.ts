import { LatentError } from '@latent/protocol';
import type { DevnetContext } from '../devnet-context.ts';
import { updateProcess } from '../devnet-state.ts';
import { type StartedChain, startAnvil } from './start-anvil.ts';

export const CHAIN = 'chain';

/**
 * Starts the network's chain on the state that it left.
 * @param lastUrl where it was reached before; the port is taken again if it is free
 * @param onlyThere the network is up and knows the chain by that URL: no other port will do
 * @throws LatentError DEVNET_FAILED
 */
export async function startChain(
  { paths, settings, clock, signal }: DevnetContext,
  { lastUrl, onlyThere = false }: { readonly lastUrl: string | null; readonly onlyThere?: boolean },
): Promise<StartedChain> {
  const { dataDir, logs: logDir } = paths;
  const lastPort = lastUrl === null ? undefined : Number(new URL(lastUrl).port);
  return startAnvil({
    dataDir,
    logDir,
    chainId: settings.chainId,
    blockTimeSeconds: settings.blockTimeSeconds,
    ...(lastPort === undefined ? {} : { preferredPort: lastPort }),
    onSpawned: (identity, port) => {
      updateProcess(dataDir, CHAIN, { identity });
      if (onlyThere && port !== lastPort) {
        throw new LatentError('DEVNET_FAILED', `Port ${lastPort} of the chain has been taken by another program.`, {
          hint: 'End that program, or stop the local network and start it again.',
        });
      }
      updateProcess(dataDir, CHAIN, { url: `http://127.0.0.1:${port}` });
    },
    clock,
    signal,
  });
}
