import { createRequire } from 'node:module';
import { arch as machineArch, platform as machinePlatform } from 'node:process';
import { LatentError } from '@latent/protocol';

/** Node's names of processors → those of the platform packages. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

/**
 * Path of the anvil that npm brought for this machine, found through the module system: nothing on PATH is looked at.
 * @throws LatentError DEVNET_FAILED when npm brought none
 */
export function anvilBinary(platform: string = machinePlatform, architecture: string = machineArch): string {
  const name = `@foundry-rs/anvil-${platform}-${ARCHITECTURES[architecture] ?? architecture}`;
  const file = platform === 'win32' ? 'anvil.exe' : 'anvil';
  try {
    const require = createRequire(import.meta.url);
    // The platform package is a dependency of anvil's and may lie below it.
    return createRequire(require.resolve('@foundry-rs/anvil/package.json')).resolve(`${name}/bin/${file}`);
  } catch (cause) {
    throw new LatentError('DEVNET_FAILED', `npm brought no local chain for ${platform}-${architecture} (${name}).`, {
      hint: 'Run `npm ci` without `--omit=optional`. It exists for Linux and macOS on x64 and arm64, and for Windows on x64.',
      retry: 'never',
      details: { package: name },
      cause,
    });
  }
}
