import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Devnet, startDevnet, stopDevnet } from '@latent/devnet';
import { loadOrCreateSecret } from '@latent/kit';
import { type ChainClient, connectChain } from '@latent/sdk';
import { bytesToHex, createTestClient, http, type LocalAccount } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import type { BenchmarkOptions } from './benchmark.ts';

/** A local network of real processes, and what a renter has on it. */
export interface LocalNetwork {
  readonly devnet: Devnet;
  readonly chain: ChainClient;
  readonly renter: LocalAccount;
  /** What only a local chain allows: give away ether, move time, mine at once. */
  readonly control: ChainControl;
}

export type ChainControl = ReturnType<typeof controlChain>;

/**
 * Starts a fresh network in a folder of its own, and stops and removes it when `use` has ended, however it did.
 * @throws LatentError those of `startDevnet`, and what `use` throws
 */
export async function withLocalNetwork<Result>(
  { signal, onProgress }: Pick<BenchmarkOptions, 'signal' | 'onProgress'>,
  settings: { readonly operators: number },
  use: (network: LocalNetwork) => Promise<Result>,
): Promise<Result> {
  const dataDir = await mkdtemp(join(tmpdir(), 'latent-bench-'));
  try {
    onProgress(`starting a local network with ${settings.operators} operators`);
    const devnet = await startDevnet({ dataDir, settings, signal });
    try {
      const chain = await connectChain(devnet.deployment);
      const renter = privateKeyToAccount(bytesToHex(await loadOrCreateSecret(devnet.renterKeyFile, 32, randomBytes)));
      return await use({ devnet, chain, renter, control: controlChain(chain) });
    } finally {
      await stopDevnet({ dataDir });
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

function controlChain({ chain, deployment }: ChainClient) {
  return createTestClient({ mode: 'anvil', chain, transport: http(deployment.rpcUrl, { retryCount: 0 }) });
}
