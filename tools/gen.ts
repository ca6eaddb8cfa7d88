import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ROOT } from './run-command.ts';
import { runForge } from './run-forge.ts';

/** Contents by path relative to the repository's root. */
type GeneratedFiles = ReadonlyMap<string, string>;

interface Generator {
  readonly name: string;
  /** Every path that it writes; known without running it. */
  readonly writes: readonly string[];
  readonly generate: () => Promise<GeneratedFiles>;
}

// Loaded when run, not when listed: a generator may itself import a package that another one has yet to write.
const generators: readonly Generator[] = [
  {
    name: 'contract ABIs and bytecode',
    writes: ['packages/protocol/src/chain/abi.ts', 'packages/chain/src/deploy/bytecode.ts'],
    generate: async () => {
      await buildContracts();
      return (await import('./gen-abi.ts')).generateAbi();
    },
  },
  {
    name: 'vectors shared by Solidity and TypeScript',
    writes: [
      'packages/protocol/vectors/charges.json',
      'packages/protocol/vectors/messages.json',
      'packages/protocol/vectors/rosters.json',
    ],
    generate: async () => (await import('./gen-vectors.ts')).generateVectors(),
  },
  {
    name: 'known answers of the hardware proof',
    writes: ['packages/proof/vectors/known-answers.json', 'packages/proof/vectors/development-proof.json'],
    generate: async () => (await import('./gen-proof-vectors.ts')).generateProofVectors(),
  },
  {
    name: 'WASM kernels of the hardware proof',
    writes: ['packages/proof/src/wasm/kernel.gen.ts'],
    generate: async () => (await import('./gen-wasm.ts')).generateWasm(),
  },
  {
    name: 'reference of errors',
    writes: ['docs/reference/errors.md'],
    generate: async () => (await import('./gen-error-reference.ts')).generateErrorReference(),
  },
  {
    name: 'reference of known devices',
    writes: ['docs/reference/devices.md'],
    generate: async () => (await import('./gen-device-reference.ts')).generateDeviceReference(),
  },
  {
    name: 'page of cheats',
    writes: ['docs/reference/cheats.md'],
    generate: async () => (await import('./gen-cheats.ts')).generateCheats(),
  },
  {
    name: 'page of costs',
    writes: ['docs/reference/costs.md'],
    generate: async () => (await import('./gen-costs.ts')).generateCosts(),
  },
  {
    name: 'page of networks',
    writes: ['docs/reference/networks.md'],
    generate: async () => (await import('./gen-networks.ts')).generateNetworks(),
  },
  {
    name: 'reference of the command line',
    writes: ['docs/reference/cli.md'],
    generate: async () => (await import('./gen-cli-reference.ts')).generateCliReference(),
  },
];

/** Paths of all generated files. */
export const generatedPaths: ReadonlySet<string> = new Set(generators.flatMap((generator) => generator.writes));

/**
 * What the generators would write now and is not what is on disk.
 * @throws Error when a generator fails, or writes a path it did not announce
 */
export async function findStale(): Promise<GeneratedFiles> {
  const stale = new Map<string, string>();
  for (const generator of generators) {
    const files = await generator.generate();
    const paths = [...files.keys()].sort();
    if (paths.join('\n') !== [...generator.writes].sort().join('\n')) {
      throw new Error(
        `${generator.name}: tools/gen.ts expects ${generator.writes.join(', ')}; got ${paths.join(', ')}`,
      );
    }
    for (const [path, content] of files) {
      if ((await readIfThere(join(ROOT, path))) !== content) stale.set(path, content);
    }
  }
  return stale;
}

/** Always, not only when `contracts/out` is missing: forge skips what has not changed, and old output would pass for new. */
async function buildContracts(): Promise<void> {
  const { exitCode, stdout, stderr } = await runForge(['build', 'src']);
  if (exitCode !== 0) throw new Error(`the contracts do not build:\n${stdout}${stderr}`);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

if (import.meta.main) {
  const stale = await findStale();
  for (const [path, content] of stale) {
    await mkdir(dirname(join(ROOT, path)), { recursive: true });
    await writeFile(join(ROOT, path), content);
    console.log(`wrote ${path}`);
  }
  console.log(`${generatedPaths.size - stale.size} of ${generatedPaths.size} generated files were up to date`);
}
