import { findNetworkAbility, selectMachineDriver } from '@latent/agent';
import { systemClock } from '@latent/kit';
import { toLatentError } from '@latent/protocol';

/**
 * Why jobs of this machine cannot be in a private network; undefined where they can. Tests skip with it: `const missing = await
 * findMissingNetwork();` and `describe.skipIf(missing !== undefined)`, with the reason in the name.
 */
export async function findMissingNetwork(): Promise<string | undefined> {
  const signal = AbortSignal.timeout(30_000);
  try {
    const wish = { driver: 'sandbox', allowNoIsolation: false } as const;
    const { driver } = await selectMachineDriver(wish, { clock: systemClock, signal });
    const ability = await findNetworkAbility(driver.name, { signal });
    return ability.usable ? undefined : ability.reason;
  } catch (thrown) {
    return toLatentError(thrown).message;
  }
}
