// The import law of ARCHITECTURE.md. One entry per row of its table; `law` is that row, word for word, and is
// what a violation prints. Run by `npm run check` (tools/check-layers.ts), which also fails when too little was seen.

const { existsSync, readdirSync, readFileSync } = require('node:fs');
const { builtinModules } = require('node:module');
const { join } = require('node:path');

/** @type {{ from: string, may: string[], lazily?: string[], law: string }[]} */
const rows = [
  { from: 'packages/protocol', may: [], law: 'packages/protocol may import: viem, a schema library' },
  {
    from: 'packages/kit',
    may: [],
    law: 'kit (config, logger, clock, store, shutdown) has no domain words in it: it imports none of ours',
  },
  { from: 'packages/proof', may: ['protocol'], law: 'packages/proof may import: protocol' },
  { from: 'packages/transport', may: ['protocol'], law: 'packages/transport may import: protocol' },
  {
    from: 'packages/sdk',
    may: ['protocol', 'proof', 'transport'],
    law: 'packages/sdk may import: the above (protocol, proof, transport)',
  },
  {
    from: 'packages/book',
    may: ['protocol', 'proof', 'transport', 'kit'],
    law: 'packages/book may import: the above but sdk (protocol, proof, transport), and kit',
  },
  {
    from: 'packages/chain',
    may: ['protocol', 'sdk', 'kit'],
    law: 'packages/chain may import: protocol, sdk, and kit',
  },
  {
    from: 'packages/agent',
    may: ['protocol', 'proof', 'transport', 'sdk', 'chain', 'kit'],
    law: 'packages/agent may import: the above but book (protocol, proof, transport, sdk, chain), and kit',
  },
  {
    from: 'packages/watch',
    may: ['protocol', 'proof', 'transport', 'sdk', 'chain', 'kit'],
    law: 'packages/watch may import: the above but book and agent (protocol, proof, transport, sdk, chain), and kit',
  },
  {
    from: 'packages/devnet',
    may: ['protocol', 'proof', 'transport', 'sdk', 'book', 'chain', 'agent', 'watch', 'kit'],
    law: 'packages/devnet may import: anything above',
  },
  {
    from: 'apps/cli',
    may: ['protocol', 'sdk', 'kit'],
    lazily: ['proof', 'chain', 'book', 'agent', 'watch', 'devnet'],
    law: 'apps/cli may import: sdk (and the words of protocol, and kit); it asks for devices and proofs, follows the chain, and starts the daemons and the devnet, loaded only when asked for: `await import(…)`',
  },
  { from: 'apps/console', may: ['protocol', 'sdk'], law: 'apps/console may import: sdk (and the words of protocol)' },
];

/** Everything of ours that a row does not name, its own package excepted. */
const lawOf = ({ from, may, lazily = [], law }) => {
  const allowed = [from, ...[...may, ...lazily].map((name) => `packages/${name}`)].join('|');
  const never = {
    name: `law: ${from}`,
    comment: law,
    severity: 'error',
    from: { path: `^${from}/` },
    to: { path: '^(packages|apps)/', pathNot: `^(${allowed})/` },
  };
  if (lazily.length === 0) return [never];
  const eagerly = {
    name: `law: ${from}, only when asked for`,
    comment: law,
    severity: 'error',
    from: { path: `^${from}/`, pathNot: '[.]test[.]ts$' },
    to: { path: `^packages/(${lazily.join('|')})/`, dynamic: false, dependencyTypesNot: ['type-only'] },
  };
  return [never, eagerly];
};

const daemons = {
  name: 'daemons apart',
  comment: 'agent, book and watch never import each other: they meet over the network only',
  severity: 'error',
  from: { path: '^packages/(agent|book|watch)/' },
  to: { path: '^packages/(agent|book|watch)/', pathNot: '^packages/$1/' },
};

const noCycles = {
  name: 'no cycles',
  comment: 'No cycles anywhere (a cycle of types alone is gone at run time and is let be)',
  severity: 'error',
  from: {},
  to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
};

/** Every path that a package.json exports, as patterns. */
const entries = readdirSync(join(__dirname, 'packages')).flatMap((name) => {
  const manifest = join(__dirname, 'packages', name, 'package.json');
  const { exports = {} } = existsSync(manifest) ? JSON.parse(readFileSync(manifest, 'utf8')) : {};
  return Object.values(exports).map((path) => `^packages/${name}/${path.replace('./', '').replaceAll('.', '[.]')}$`);
});

const ENTRY_LAW =
  "Nobody imports another package's inside, only its entries: src/index.ts, and what else its package.json exports";
const entryOnly = [
  {
    name: 'entry only',
    comment: ENTRY_LAW,
    severity: 'error',
    from: { path: '^(packages|apps)/([^/]+)/' },
    to: { path: '^(packages|apps)/[^/]+/', pathNot: ['^$1/$2/', '^packages/[^/]+/src/index[.]ts$', ...entries] },
  },
  {
    name: 'entry only, from outside',
    comment: ENTRY_LAW,
    severity: 'error',
    from: { path: '^(e2e|examples|bench|tools)/' },
    to: { path: '^(packages|apps)/', pathNot: ['^packages/[^/]+/src/index[.]ts$', ...entries] },
  },
  {
    name: 'nothing from outside',
    comment: 'Packages and apps never import e2e, examples, bench, docs or tools: those are not shipped',
    severity: 'error',
    from: { path: '^(packages|apps)/' },
    to: { path: '^(e2e|examples|bench|docs|tools)/' },
  },
];

const DRIVER = 'packages/agent/src/drivers/(mock|process|sandbox|docker)[/.-]';
const drivers = [
  {
    name: 'drivers behind their interface',
    comment: "Nobody but the drivers' selector imports a concrete driver: everything else speaks to `Driver`",
    severity: 'error',
    from: {
      path: '^(packages|apps)/',
      pathNot: [
        `^${DRIVER}`,
        '^packages/agent/src/drivers/select[^/]*[.]ts$',
        '^packages/agent/src/drivers/.*[.]test[.]ts$',
      ],
    },
    to: { path: `^${DRIVER}` },
  },
  {
    name: 'drivers apart',
    comment: 'A concrete driver does not import another one: what they share lives beside them',
    severity: 'error',
    from: { path: `^${DRIVER}` },
    to: { path: `^${DRIVER}`, pathNot: '^packages/agent/src/drivers/$1[/.-]' },
  },
];

const protocolPure = {
  name: 'protocol is pure',
  comment:
    'protocol has no I/O, no clock, no environment; it runs in browser and Node alike. Of others it imports viem and zod',
  severity: 'error',
  from: { path: '^packages/protocol/src/', pathNot: '[.]test[.]ts$' },
  to: {
    dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown'],
    pathNot: '^node_modules/(viem|zod)/',
  },
};

const forPages = {
  name: 'for pages',
  comment: 'Nothing that packages/transport/src/browser/index.ts leads to is of Node: web pages run it',
  severity: 'error',
  from: { path: '^packages/transport/src/browser/index[.]ts$' },
  to: { path: [`^(node:)?(${builtinModules.join('|')})$`, '^node_modules/(ws|udx-native)/'], reachable: true },
};

const resolvable = {
  name: 'resolvable',
  comment: 'What cannot be resolved cannot be judged, and fails when it runs',
  severity: 'error',
  from: {},
  to: { couldNotResolve: true },
};

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [...rows.flatMap(lawOf), daemons, noCycles, ...entryOnly, ...drivers, protocolPure, forPages, resolvable],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['types', 'import', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.d.ts', '.json'],
    },
  },
};
