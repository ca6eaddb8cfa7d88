import { isOver } from '@latent/sdk';
import { listClusters } from './cluster.ts';
import type { TestNetwork } from './test-network.ts';

/** Ends the clusters that a test has left open, so that it takes no machines from the next one. */
export async function endClusters(network: TestNetwork): Promise<void> {
  for (const { record } of listClusters(network.home)) {
    if (!isOver(record)) await network.latent(['down', record.name]);
  }
}
