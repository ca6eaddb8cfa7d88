import { join } from 'node:path';
import { loadOrCreateSecret } from '@latent/kit';
import { createKeyPair, type KeyPair } from '@latent/transport';
import { bytesToHex, type LocalAccount } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

/** The keys of a machine. None of them leaves its data folder. */
export interface Identity {
  /** Owns the stake and is paid. On the machine only so that it can join by itself; may be moved elsewhere after joining. */
  readonly operator: LocalAccount;
  /** Signs asks, holds and closes. */
  readonly agent: LocalAccount;
  /** Proves the machine to renters on the wire. */
  readonly peer: KeyPair;
}

/**
 * Loads the keys below `dataDir/keys`, making those that are missing (mode 0600).
 * @throws kit's error if a key file can be read by others
 */
export async function loadIdentity(dataDir: string, randomBytes: (size: number) => Uint8Array): Promise<Identity> {
  const load = (name: string) => loadOrCreateSecret(join(dataDir, 'keys', name), 32, randomBytes);
  const [operator, agent, peer] = await Promise.all([load('operator.key'), load('agent.key'), load('peer.key')]);
  return {
    operator: privateKeyToAccount(bytesToHex(operator)),
    agent: privateKeyToAccount(bytesToHex(agent)),
    peer: createKeyPair(peer),
  };
}
