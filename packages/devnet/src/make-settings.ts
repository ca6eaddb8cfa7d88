import { LatentError, parseDollars } from '@latent/protocol';
import { z } from 'zod';
import { type DevnetSettings, devnetSettingsSchema } from './devnet-state.ts';
import { DEFAULT_OPERATORS, DEFAULT_SEED } from './network-plan.ts';

/** Settings left out or undefined are not wished for. */
export type WishedSettings = { readonly [Name in keyof DevnetSettings]?: DevnetSettings[Name] | undefined };

export const defaultSettings: DevnetSettings = {
  seed: DEFAULT_SEED,
  operators: DEFAULT_OPERATORS,
  chainId: 31_337,
  blockTimeSeconds: 1,
  feeBps: 30,
  stakePerAgent: parseDollars('100'),
};

/**
 * Settings of a network: those that are wished for, else those it was made with, else the defaults.
 * @param made of the network that is in the folder
 * @throws LatentError CONFIG_INVALID for settings that cannot be, or that differ from those it was made with
 */
export function makeSettings(wished: WishedSettings, made: DevnetSettings | undefined): DevnetSettings {
  const given = Object.fromEntries(Object.entries(wished).filter(([, value]) => value !== undefined));
  const parsed = devnetSettingsSchema.safeParse({ ...(made ?? defaultSettings), ...given });
  if (!parsed.success) {
    throw new LatentError('CONFIG_INVALID', `No such local network: ${z.prettifyError(parsed.error)}`);
  }
  const names = devnetSettingsSchema.keyof().options;
  const differing = made === undefined ? [] : names.filter((name) => parsed.data[name] !== made[name]);
  if (made === undefined || differing.length === 0) return parsed.data;
  const changes = differing.map((name) => `${name} ${made[name]}, not ${parsed.data[name]}`);
  throw new LatentError('CONFIG_INVALID', `The network in this folder was made with ${changes.join('; ')}.`, {
    hint: 'Leave these settings out, or take another folder.',
    details: { differing },
  });
}
