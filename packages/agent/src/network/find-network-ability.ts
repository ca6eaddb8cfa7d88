import type { EgressAbility, NetworkAbility } from '@latent/protocol';
import type { DriverName } from '../drivers/driver.ts';
import { probeEgress } from './egress/probe-egress.ts';
import { probeNetwork } from './probe-network.ts';

/** Whether jobs of this machine can be in a private network: its driver has to join one, and the machine has to let us make it. */
export async function findNetworkAbility(
  driver: DriverName,
  options: {
    readonly signal: AbortSignal;
    /** Whether the operator lets jobs out; false where it is not said. */
    readonly egress?: boolean;
  },
): Promise<NetworkAbility> {
  if (driver !== 'sandbox') {
    const where =
      driver === 'docker' ? 'keeps jobs in a network of its engine' : 'leaves jobs in the network of the machine';
    return { usable: false, reason: `the driver ${driver} ${where}` };
  }
  const answer = await probeNetwork(options);
  if (!answer.usable) return { usable: false, reason: answer.reason };
  return { usable: true, egress: await findEgressAbility(options) };
}

async function findEgressAbility(options: {
  readonly signal: AbortSignal;
  readonly egress?: boolean;
}): Promise<EgressAbility> {
  if (options.egress !== true) return { usable: false, reason: 'its operator lets no job out' };
  const answer = await probeEgress(options);
  return answer.usable ? { usable: true } : { usable: false, reason: answer.reason };
}
