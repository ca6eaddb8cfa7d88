#!/usr/bin/env node
// The command. Plain JavaScript, since any Node from 18 on may be the one that reads it: Latent itself runs on
// Node 24, and where this is an older one, the command runs again on the Node that npm brought.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED_MAJOR = 24;
const CANNOT_RUN = 69;

/** What a terminal sends to everything in the foreground by itself: passed on, it would arrive twice. */
const FROM_TERMINAL = ['SIGINT', 'SIGQUIT', 'SIGHUP'];
const PASSED_ON = ['SIGTERM', 'SIGUSR2', 'SIGCONT', 'SIGWINCH', ...FROM_TERMINAL];

/** Path of the Node that came as a platform package, or undefined. */
function findNode() {
  const require = createRequire(import.meta.url);
  try {
    const manifest = require.resolve(`node-${process.platform}-${process.arch}/package.json`);
    const { version, bin } = JSON.parse(readFileSync(manifest, 'utf8'));
    return Number.parseInt(version, 10) >= NEEDED_MAJOR ? join(dirname(manifest), bin.node) : undefined;
  } catch (error) {
    if (error.code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}

/** Runs this file again on another Node and ends as that one ends. */
function runOn(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' });
  for (const signal of PASSED_ON) {
    process.on(signal, () => {
      if (!(process.stdin.isTTY && FROM_TERMINAL.includes(signal))) child.kill(signal);
    });
  }
  child.on('error', (error) => {
    process.stderr.write(`latent: ${node} does not start: ${error.message}\n`);
    process.exitCode = CANNOT_RUN;
  });
  child.on('exit', (code, signal) => {
    if (signal === null) {
      process.exitCode = code;
      return;
    }
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

if (Number.parseInt(process.versions.node, 10) >= NEEDED_MAJOR) {
  await import('../src/main.ts');
} else {
  const node = findNode();
  if (node === undefined) {
    process.stderr.write(
      `latent needs Node ${NEEDED_MAJOR} or later, this is ${process.versions.node}, and npm brought none for ` +
        `${process.platform}-${process.arch}.\nRun \`npm ci\` without \`--omit=optional\`, or install Node ${NEEDED_MAJOR}.\n`,
    );
    process.exitCode = CANNOT_RUN;
  } else {
    runOn(node);
  }
}
