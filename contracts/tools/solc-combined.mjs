#!/usr/bin/env node
// Presents npm's WebAssembly build of solc to slither, which asks for `--combined-json` of one file
// (`solc --version`, `solc All.sol --combined-json …`). Everything is compiled in one unit: split up, as forge does it,
// slither finds functions unimplemented that are in another unit, and looks no further.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const solc = require('solc');
const packages = join(require.resolve('@openzeppelin/contracts/package.json'), '..', '..', '..');

function findImport(path) {
  const found = ['.', packages].map((root) => join(root, path)).find((candidate) => existsSync(candidate));
  return found === undefined ? { error: `file not found: ${path}` } : { contents: readFileSync(found, 'utf8') };
}

function compile(file) {
  const outputs = ['abi', 'evm.bytecode', 'evm.deployedBytecode', 'evm.methodIdentifiers', 'userdoc', 'devdoc'];
  const settings = { viaIR: true, evmVersion: 'cancun', optimizer: { enabled: true, runs: 1 } };
  const sources = { [file]: { content: readFileSync(file, 'utf8') } };
  const outputSelection = { '*': { '': ['ast'], '*': outputs } };
  const input = { language: 'Solidity', sources, settings: { ...settings, outputSelection } };
  return JSON.parse(solc.compile(JSON.stringify(input), { import: findImport }));
}

function combine({ contracts, sources }) {
  const combined = { contracts: {}, sources: {}, sourceList: [], version: solc.version() };
  for (const [path, { ast, id }] of Object.entries(sources)) {
    combined.sources[path] = { AST: ast };
    combined.sourceList[id] = path;
  }
  for (const [path, named] of Object.entries(contracts)) {
    for (const [name, { abi, evm, userdoc, devdoc }] of Object.entries(named)) {
      combined.contracts[`${path}:${name}`] = {
        ...{ abi, userdoc, devdoc, hashes: evm.methodIdentifiers ?? {} },
        ...{ bin: evm.bytecode?.object ?? '', 'bin-runtime': evm.deployedBytecode?.object ?? '' },
        ...{ srcmap: evm.bytecode?.sourceMap ?? '', 'srcmap-runtime': evm.deployedBytecode?.sourceMap ?? '' },
      };
    }
  }
  return combined;
}

const file = process.argv.slice(2).find((argument) => argument.endsWith('.sol'));
if (process.argv.includes('--version')) {
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
} else if (file === undefined) {
  process.stderr.write(`solc-combined.mjs compiles one .sol file; got: ${process.argv.slice(2).join(' ')}\n`);
  process.exitCode = 1;
} else {
  const output = compile(file);
  const errors = (output.errors ?? []).filter(({ severity }) => severity === 'error');
  for (const { formattedMessage } of errors) process.stderr.write(formattedMessage);
  if (errors.length > 0) process.exitCode = 1;
  else process.stdout.write(JSON.stringify(combine(output)));
}
