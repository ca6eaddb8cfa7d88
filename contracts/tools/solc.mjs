#!/usr/bin/env node
// Presents npm's WebAssembly build of solc as the native compiler that forge calls
// (`solc --version`, `solc --allow-paths … --base-path … --standard-json` with JSON on stdin).
// Why: forge's own way is a download at build time, which closed networks and offline builds do not have.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const solc = createRequire(import.meta.url)('solc');

/** Options of the native compiler that are followed by a value. */
const VALUED = new Set(['--base-path', '--include-path', '--allow-paths']);

/** Reads the native compiler's command line. Unknown options are kept so that they can be refused by name. */
function parseArguments(argv) {
  const parsed = { version: false, standardJson: false, roots: [], file: undefined, unknown: [] };
  for (let i = 0; i < argv.length; i++) {
    const [name, inlineValue] = argv[i].split(/=(.*)/s, 2);
    if (VALUED.has(name)) {
      const value = inlineValue ?? argv[++i];
      if (name !== '--allow-paths') parsed.roots.push(value);
    } else if (name === '--version') parsed.version = true;
    else if (name === '--standard-json') parsed.standardJson = true;
    else if (name === '-' || name.startsWith('-')) parsed.unknown.push(name);
    else parsed.file = argv[i];
  }
  return parsed;
}

/** forge sends every source inside the JSON; this serves only what it left to the compiler to find. */
function findImport(roots) {
  return (path) => {
    const found = [...roots, ''].map((root) => join(root, path)).find((candidate) => existsSync(candidate));
    return found === undefined ? { error: `file not found: ${path}` } : { contents: readFileSync(found, 'utf8') };
  };
}

const { version, standardJson, roots, file, unknown } = parseArguments(process.argv.slice(2));
if (version) {
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`);
} else if (!standardJson || unknown.length > 0) {
  process.stderr.write(`solc.mjs speaks --version and --standard-json only; got: ${process.argv.slice(2).join(' ')}\n`);
  process.exitCode = 1;
} else {
  const input = readFileSync(file ?? 0, 'utf8');
  process.stdout.write(solc.compile(input, { import: findImport(roots) }));
}
