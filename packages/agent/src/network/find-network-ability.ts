import type { NetworkAbility } from '@latent/protocol';
import type { DriverName } from '../drivers/driver.ts';
import { probeNetwork } from './probe-network.ts';

/** Whether jobs of this machine can be in a private network: its driver has to join one, and the machine has to let us make it. */
export async function findNetworkAbility(
  driver: DriverName,
  options: { readonly signal: AbortSignal },
): Promise<NetworkAbility> {
  if (driver !== 'sandbox') {
    const where =
      driver === 'docker' ? 'keeps jobs in a network of its engine' : 'leaves jobs in the network of the machine';
    return { usable: false, reason: `the driver ${driver} ${where}` };
  }
  const answer = await probeNetwork(options);
  return answer.usable ? { usable: true } : { usable: false, reason: answer.reason };
}
