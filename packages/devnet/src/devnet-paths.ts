import { join } from 'node:path';

/** Where everything of a local network lies. */
export function devnetPaths(dataDir: string) {
  const at = (...names: readonly string[]) => join(dataDir, ...names);
  return {
    dataDir,
    state: at('devnet.json'),
    lock: at('devnet.lock'),
    /** For every program that uses the network: addresses of the contracts, and where the chain is. */
    deployment: at('deployment.json'),
    renterKey: at('renter.key'),
    deployerKey: at('keys', 'deployer.key'),
    treasuryKey: at('keys', 'treasury.key'),
    logs: at('logs'),
    /** Folder and settings of one book. */
    book: (name: string) => ({ dataDir: at('books', name), config: at('books', `${name}.json`) }),
    /** Folder, settings and key of one operator. */
    operator: (name: string) => ({
      dataDir: at('operators', name),
      config: at('operators', `${name}.json`),
      key: at('operators', name, 'keys', 'operator.key'),
    }),
    /** Only what belongs to the network writes below these. */
    writtenBelow: [at('logs'), at('books'), at('operators')],
  } as const;
}
export type DevnetPaths = ReturnType<typeof devnetPaths>;
