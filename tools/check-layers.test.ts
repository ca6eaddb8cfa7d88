import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { checkLayers, findUnseen } from './check-layers.ts';
import { runCommand } from './run-command.ts';

const PACKAGES = ['protocol', 'kit', 'proof', 'transport', 'sdk', 'book', 'agent', 'devnet'];
const EMPTY = 'export const empty = 1;\n';
const folders: string[] = [];

afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

/** A small workspace with the same folders as this one. @param files content by path, over an empty entry per package */
async function workspace(files: Readonly<Record<string, string>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'latent-layers-'));
  folders.push(root);
  const manifests = PACKAGES.map((name) => [
    `packages/${name}/package.json`,
    JSON.stringify({
      name: `@latent/${name}`,
      type: 'module',
      exports: { '.': './src/index.ts', ...(name === 'proof' ? { './devices': './src/devices/index.ts' } : {}) },
    }),
  ]);
  const entries = PACKAGES.map((name) => [`packages/${name}/src/index.ts`, EMPTY]);
  const all: Record<string, string> = {
    '.gitignore': 'node_modules/\n',
    'package.json': '{ "type": "module" }',
    'tsconfig.json':
      '{ "compilerOptions": { "module": "nodenext", "allowImportingTsExtensions": true, "noEmit": true } }',
    ...Object.fromEntries([...manifests, ...entries]),
    ...files,
  };
  for (const [path, content] of Object.entries(all)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  await mkdir(join(root, 'node_modules/@latent'), { recursive: true });
  for (const name of PACKAGES) await symlink(`../../packages/${name}`, join(root, 'node_modules/@latent', name));
  await runCommand('git', ['init', '--quiet'], { cwd: root });
  return root;
}

const uses = (name: string) => `import { empty } from '${name}';\nexport const used = empty;\n`;

it('finds nothing where the law is kept', async () => {
  const root = await workspace({
    'packages/sdk/src/place-order.ts': uses('@latent/protocol'),
    'packages/agent/src/drivers/select-driver.ts': uses('./mock/mock.ts'),
    'packages/agent/src/drivers/mock/mock.ts': EMPTY,
    'packages/protocol/src/a.ts': `import type { B } from './b.ts';\nexport type A = B | 1;\n`,
    'packages/protocol/src/b.ts': `import type { A } from './a.ts';\nexport type B = A | 2;\n`,
    'apps/cli/src/main.ts': `${uses('@latent/sdk')}export const start = () => import('@latent/devnet');\n`,
    'apps/cli/src/devices.ts': `export const find = () => import('@latent/proof/devices');\n`,
    'packages/proof/src/devices/index.ts': EMPTY,
    'packages/agent/src/devices.ts': uses('@latent/proof/devices'),
    'contracts/src/A.sol':
      'import { B } from "./B.sol";\nimport {\n  ERC20\n} from "@openzeppelin/contracts/ERC20.sol";\n',
  });
  expect(await checkLayers(root, PACKAGES.length)).toEqual([]);
});

it('finds every kind of fault, with its reason', async () => {
  const root = await workspace({
    'packages/protocol/src/up.ts': uses('@latent/sdk'),
    'packages/protocol/src/impure.ts': `import { readFileSync } from 'node:fs';\nexport const read = readFileSync;\n`,
    'packages/kit/src/domain.ts': uses('@latent/protocol'),
    'packages/book/src/sideways.ts': uses('@latent/agent'),
    'packages/book/src/renter.ts': uses('@latent/sdk'),
    'packages/agent/src/types-too.ts': `import type { empty } from '@latent/book';\nexport type Empty = typeof empty;\n`,
    'packages/agent/src/daemon.ts': uses('./drivers/mock/mock.ts'),
    'packages/agent/src/drivers/process/process.ts': uses('../mock/mock.ts'),
    'packages/agent/src/drivers/mock/mock.ts': EMPTY,
    'packages/sdk/src/inside.ts': uses('../../protocol/src/impure.ts'),
    'packages/sdk/src/inside-devices.ts': uses('../../proof/src/devices/known.ts'),
    'packages/proof/src/devices/known.ts': EMPTY,
    'apps/cli/src/eager.ts': uses('@latent/proof'),
    'packages/sdk/src/tool.ts': uses('../../../tools/tool.ts'),
    'packages/sdk/src/gone.ts': uses('@latent/nothing'),
    'packages/transport/src/one.ts': `import { two } from './two.ts';\nexport const one = () => two;\n`,
    'packages/transport/src/two.ts': `import { one } from './one.ts';\nexport const two = () => one;\n`,
    'packages/transport/src/browser/index.ts': uses('../for-node.ts'),
    'packages/transport/src/for-node.ts': `export { connect as empty } from 'node:net';\n`,
    'apps/cli/src/main.ts': uses('@latent/devnet'),
    'e2e/inside.e2e.ts': uses('../packages/agent/src/daemon.ts'),
    'tools/tool.ts': EMPTY,
    'contracts/src/A.sol': 'import { B } from "solady/B.sol";\n',
  });
  const found = (await checkLayers(root, 1)).map((line) => line.replace(/ → .*\n\s*/, ' '));
  const expected = [
    'packages/protocol/src/up.ts law: packages/protocol',
    'packages/protocol/src/impure.ts protocol is pure',
    'packages/kit/src/domain.ts law: packages/kit',
    'packages/book/src/sideways.ts daemons apart',
    'packages/book/src/renter.ts law: packages/book',
    'packages/agent/src/types-too.ts daemons apart',
    'packages/agent/src/daemon.ts drivers behind their interface',
    'packages/agent/src/drivers/process/process.ts drivers apart',
    'packages/sdk/src/inside.ts entry only',
    'packages/sdk/src/inside-devices.ts entry only',
    'apps/cli/src/eager.ts law: apps/cli, only when asked for',
    'packages/sdk/src/tool.ts nothing from outside',
    'packages/sdk/src/gone.ts resolvable',
    'packages/transport/src/one.ts no cycles',
    'packages/transport/src/browser/index.ts for pages',
    'apps/cli/src/main.ts law: apps/cli, only when asked for',
    'e2e/inside.e2e.ts entry only, from outside',
    'contracts/src/A.sol law: contracts/ may import: OpenZeppelin',
  ];
  for (const fault of expected) expect(found.filter((line) => line.startsWith(fault))).not.toEqual([]);
});

it('fails when fewer source files are there than the floor', async () => {
  const root = await workspace({});
  expect(await checkLayers(root, PACKAGES.length + 1)).toEqual([
    `only ${PACKAGES.length} source files in packages and apps, expected at least ${PACKAGES.length + 1}: was everything checked out?`,
  ]);
});

it('names every source file that was not seen, which is what a TypeScript it does not know looks like', () => {
  const sources = ['packages/sdk/src/a.ts', 'packages/sdk/src/b.ts', 'tools/c.ts'];
  expect(findUnseen(new Set(sources), sources, 2)).toEqual([]);
  expect(findUnseen(new Set(), sources, 2)).toHaveLength(2);
});
