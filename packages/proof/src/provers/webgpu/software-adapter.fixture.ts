import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { LatentError } from '@latent/protocol';
import { listWebGpuAdapters } from './open-webgpu-engine.ts';

/** Where the tests run: the environment of a driver that works, or why there is none. */
export type TestAdapter = { readonly environment: Readonly<Record<string, string>> } | { readonly skip: string };

/** Folders in which Chromium keeps SwiftShader, a Vulkan driver that needs no GPU, and a Vulkan loader. */
const CHROMIUM = ['/usr/lib/chromium', '/usr/lib64/chromium-browser', '/opt/google/chrome'];

/** SwiftShader, if a Chromium is installed; else whatever driver this machine has. */
export async function findTestAdapter(): Promise<TestAdapter> {
  const chromium = CHROMIUM.filter((folder) => existsSync(`${folder}/vk_swiftshader_icd.json`));
  const environments = [
    ...chromium.map((folder) => {
      const driver = `${folder}/vk_swiftshader_icd.json`;
      return { VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver, LD_LIBRARY_PATH: folder };
    }),
    {},
  ];
  const reasons: string[] = [];
  for (const environment of environments) {
    try {
      const adapters = await listWebGpuAdapters(environment);
      if (adapters.length > 0) return { environment };
    } catch (error) {
      if (!(error instanceof LatentError)) throw error;
      reasons.push(error.message);
    }
  }
  return { skip: ['no Vulkan driver; install Debian’s chromium, or Mesa 25 or later', ...reasons].join('; ') };
}

/** Runs a script where the adapter is found. @returns what it wrote, once it has ended well */
export async function runWithAdapter(
  script: URL,
  environment: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<string> {
  // biome-ignore lint/style/noProcessEnv: the driver's variables are added to what every process of this machine has
  const options = { env: { ...process.env, ...environment }, maxBuffer: 2 ** 24 };
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(script), ...args], options);
  return stdout;
}
