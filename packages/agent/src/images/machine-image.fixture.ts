import { execFile } from 'node:child_process';
import { readFile, realpath } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { TarEntry } from './unpack/tar-archive.fixture.ts';

const run = promisify(execFile);
const programs = [
  'cat',
  'chmod',
  'env',
  'grep',
  'head',
  'id',
  'ln',
  'ls',
  'mkdir',
  'mv',
  'rm',
  'sleep',
  'stat',
  'touch',
  'unshare',
];

/** A layer that truly runs, made of this machine's shell, some of its programs, and their libraries. */
export async function machineLayer(): Promise<readonly TarEntry[]> {
  const shell = await programEntry('/bin/sh', 'bin/sh');
  const others = await Promise.all(
    programs.map((name) => which(name).then((path) => programEntry(path, `usr/bin/${name}`))),
  );
  const libraries = new Set<string>();
  for (const { at } of [shell, ...others]) for (const library of await librariesOf(at)) libraries.add(library);
  const files = await Promise.all(
    [...libraries].map(async (path) => ({ name: path, content: await readFile(path), mode: 0o755 })),
  );
  return [...[shell, ...others].map(({ entry }) => entry), ...files];
}

async function programEntry(path: string, name: string) {
  const at = await realpath(path);
  return { at, entry: { name, content: await readFile(at), mode: 0o755 } };
}

async function which(name: string): Promise<string> {
  const { stdout } = await run('/bin/sh', ['-c', 'command -v "$1"', 'sh', name]);
  return stdout.trim();
}

async function librariesOf(path: string): Promise<readonly string[]> {
  const { stdout } = await run('ldd', [path]);
  return [...stdout.matchAll(/(\/\S+)\s+\(0x/g)].flatMap(([, library]) => library ?? []);
}
