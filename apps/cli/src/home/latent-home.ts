import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { processEnvironment } from '@latent/kit';

/** Where a renter's things are kept. Mode 0700; secrets are below it. */
export interface LatentHome {
  readonly root: string;
  /** SQLite file of all clusters. */
  readonly clusters: string;
  /** Files of one cluster: packed files, outputs, the meter's log. */
  clusterFolder(name: string): string;
  /** How to reach a network: deployment, books, and the file of the renter's key. */
  networkFile(network: string): string;
  /** Session keys of one network, with what is known of them. */
  sessionsFolder(network: string): string;
  /** Data folder of the local network. */
  readonly devnet: string;
}

/** `LATENT_HOME`, else `~/.latent`. */
export function latentHome(): LatentHome {
  const root = resolve(processEnvironment()['LATENT_HOME'] ?? join(homedir(), '.latent'));
  return {
    root,
    clusters: join(root, 'clusters.sqlite'),
    clusterFolder: (name) => join(root, 'clusters', name),
    networkFile: (network) => join(root, 'networks', `${network}.json`),
    sessionsFolder: (network) => join(root, 'sessions', network),
    devnet: join(root, 'devnet'),
  };
}
