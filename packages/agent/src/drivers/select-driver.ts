import { LatentError } from '@latent/protocol';
import type { Driver, DriverFingerprint, DriverName } from './driver.ts';

export interface DriverWish {
  /** `auto`: the best isolation that the machine has. */
  readonly driver: 'auto' | DriverName;
  /** The operator's word that jobs may do whatever the agent's user can do. */
  readonly allowNoIsolation: boolean;
}

export interface SelectedDriver {
  readonly driver: Driver;
  readonly fingerprint: Extract<DriverFingerprint, { available: true }>;
}

/**
 * The driver that the operator wishes for, if it works here and isolates as far as they demand.
 * @param drivers in the order in which `auto` prefers them
 * @throws LatentError DRIVER_UNAVAILABLE with what to do about it, DRIVER_REFUSED where only the operator's word is missing.
 */
export async function selectDriver(
  wish: DriverWish,
  drivers: readonly Driver[],
  options: { readonly signal: AbortSignal },
): Promise<SelectedDriver> {
  // The mock runs nothing: nobody gets it without asking for it.
  const candidates = drivers.filter(({ name }) => (wish.driver === 'auto' ? name !== 'mock' : name === wish.driver));
  const reasons: string[] = [];
  const remedies: string[] = [];
  let onlyForbidden: DriverName | undefined;
  for (const driver of candidates) {
    const fingerprint = await driver.fingerprint(options);
    if (!fingerprint.available) {
      reasons.push(`${driver.name}: ${fingerprint.reason}`);
      remedies.push(fingerprint.remedy);
    } else if (fingerprint.isolation === 'none' && driver.name !== 'mock' && !wish.allowNoIsolation) {
      reasons.push(`${driver.name}: it does not isolate jobs, which the operator has not allowed`);
      onlyForbidden ??= driver.name;
    } else {
      return { driver, fingerprint };
    }
  }
  const message = `No driver can run jobs here. ${reasons.join('. ') || `There is no driver ${wish.driver}`}.`;
  const allow = 'allow jobs without isolation, if nobody but you sends any';
  if (onlyForbidden !== undefined && remedies.length === 0) {
    throw new LatentError('DRIVER_REFUSED', message, { hint: `Use the driver sandbox, or ${allow}.` });
  }
  const hints = onlyForbidden === undefined ? remedies : [...remedies, allow];
  throw new LatentError('DRIVER_UNAVAILABLE', message, {
    details: { reasons },
    ...(hints.length === 0 ? {} : { hint: `To change that: ${hints.join('; or ')}.` }),
  });
}
