import {
  addressSchema,
  type Deployment,
  deploymentSchema,
  type EscrowDomain,
  peerKeySchema,
  rateFromHourlyDown,
  type SignedAsk,
  signAsk,
} from '@latent/protocol';
import { type Address, keccak256, type LocalAccount, toHex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

const address = (name: string): Address => addressSchema.parse(keccak256(toHex(name)).slice(0, 42));

/** Of a chain that is not there: every agent belongs to the one operator. */
export const deployment: Deployment = deploymentSchema.parse({
  chainId: 31_337,
  rpcUrl: 'http://127.0.0.1:9',
  token: address('token'),
  escrow: address('escrow'),
  operators: address('operators'),
  deployedAtBlock: '0',
});
export const domain: EscrowDomain = { chainId: deployment.chainId, escrow: deployment.escrow };
export const operator = address('operator');

export function createAccount(index: number): LocalAccount {
  return privateKeyToAccount(keccak256(toHex(`agent ${index}`)));
}

/** An ask as agents send it: one device, valid for an hour. */
export function askOf(account: LocalAccount): Promise<SignedAsk> {
  return signAsk(
    account,
    domain,
    {
      operator,
      agentKey: account.address,
      devices: 1,
      rate: rateFromHourlyDown(500_000n),
      maxSeconds: 86_400,
      closeWindow: 3_600,
      prepay: 10,
      maxFeeBps: 50,
      validUntil: Math.floor(Date.now() / 1_000) + 3_600,
      epoch: 0,
      salt: 1n,
    },
    {
      kind: 'cpu',
      model: 'Intel(R) Xeon(R) Processor @ 2.10GHz',
      deviceMemoryMiB: 4_096,
      cpuCores: 4,
      memoryMiB: 4_096,
      region: 'eu-west',
      site: 'home',
      isolation: 'namespaces',
      peerKey: peerKeySchema.parse(keccak256(toHex(account.address))),
      hints: ['udp://203.0.113.7:4433', 'book+https://book.example'],
    },
  );
}
