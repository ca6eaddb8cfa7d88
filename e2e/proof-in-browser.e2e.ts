import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadKernel, parameterSets, runChallenge } from '@latent/proof';
import { createProver, openReferenceEngine } from '@latent/proof/provers';
import { nobleHash, toHex } from '@latent/proof/spec';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';

const ROOT = join(import.meta.dirname, '..');
const CHROMIUM = '/usr/bin/chromium';

const page = `<!doctype html><meta charset="utf-8"><script src="/latent-proof.js"></script><script type="module">
const bytes = async (name) => new Uint8Array(await (await fetch(name)).arrayBuffer());
const outcome = async (proof) => {
  try {
    const { header } = await LatentProof.verifyProof(await LatentProof.loadKernel(), proof);
    return { set: header.parameters.name };
  } catch (error) {
    return { code: error.code ?? String(error) };
  }
};
const good = await bytes('/proof');
const bad = good.slice();
bad[good.length >> 1] ^= 1;
const results = [await outcome(good), await outcome(bad), await outcome(good.subarray(1))];
await fetch('/results', { method: 'POST', body: JSON.stringify(results) });
</script>`;

/** The verifier, as any page would carry it: one script, without a module of Node's. */
async function bundle(): Promise<string> {
  const built = await build({
    root: ROOT,
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      lib: { entry: join(ROOT, 'packages/proof/src/index.ts'), formats: ['iife'], name: 'LatentProof' },
    },
  });
  const [output] = Array.isArray(built) ? built : [built];
  const chunk = output && 'output' in output ? output.output[0] : undefined;
  if (chunk?.type !== 'chunk') throw new Error('vite built no script');
  expect(chunk.imports).toEqual([]);
  return chunk.code;
}

async function prove(): Promise<Uint8Array> {
  const { proof } = await runChallenge({
    prover: createProver(openReferenceEngine(), nobleHash),
    kernel: await loadKernel(),
    parameters: parameterSets.development,
    context: new Uint8Array(32),
    drawBeacon: async (which) => nobleHash(new TextEncoder().encode(which)),
    nowMs: () => performance.now(),
    layers: 4,
    signal: new AbortController().signal,
  });
  return proof ?? expect.unreachable('the reference engine proves');
}

describe.skipIf(!existsSync(CHROMIUM))('the verifier in a browser (needs chromium)', () => {
  let folder: string;
  let server: Server;
  let browser: ChildProcess | undefined;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'latent-browser-'));
  });
  afterAll(async () => {
    const ended = browser?.exitCode === null ? new Promise((resolve) => browser?.once('exit', resolve)) : undefined;
    browser?.kill('SIGKILL');
    await ended;
    server?.close();
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  it('takes a good proof, and refuses others with the same codes as in Node', async () => {
    const [script, proof] = await Promise.all([bundle(), prove()]);
    const posted = new Promise<string>((resolve) => {
      server = createServer(async (request, response) => {
        if (request.method === 'POST') {
          const parts: Buffer[] = [];
          for await (const part of request) parts.push(part);
          response.end();
          resolve(Buffer.concat(parts).toString());
        } else if (request.url === '/latent-proof.js') {
          response.setHeader('content-type', 'text/javascript').end(script);
        } else if (request.url === '/proof') {
          response.setHeader('content-type', 'application/octet-stream').end(proof);
        } else {
          response.setHeader('content-type', 'text/html').end(page);
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = z.object({ port: z.number() }).parse(server.address());
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
    const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];
    browser = spawn(CHROMIUM, [...flags, ...quiet, `--user-data-dir=${folder}`, `http://127.0.0.1:${address.port}/`], {
      stdio: 'ignore',
    });
    const results = z
      .array(z.object({ set: z.string().optional(), code: z.string().optional() }))
      .parse(JSON.parse(await posted));
    expect(results).toEqual([{ set: 'development' }, { code: 'PROOF_BAD_OPENING' }, { code: 'PROOF_MALFORMED' }]);
    expect(toHex(proof.slice(0, 4))).toBe('0x4c504631');
  });
});
