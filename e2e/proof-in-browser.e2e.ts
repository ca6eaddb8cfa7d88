import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { loadKernel, parameterSets, runChallenge } from '@latent/proof';
import { createProver, openReferenceEngine } from '@latent/proof/provers';
import { nobleHash, toHex } from '@latent/proof/spec';
import { build } from 'vite';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CHROMIUM, openInChromium } from './browser/chromium.ts';

const ROOT = join(import.meta.dirname, '..');

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
  it('takes a good proof, and refuses others with the same codes as in Node', async () => {
    const [script, proof] = await Promise.all([bundle(), prove()]);
    const posted = Promise.withResolvers<string>();
    const server = createServer((request, response) => {
      if (request.method === 'POST') {
        void text(request)
          .then(posted.resolve, posted.reject)
          .then(() => response.end());
      } else if (request.url === '/latent-proof.js') {
        response.setHeader('content-type', 'text/javascript').end(script);
      } else if (request.url === '/proof') {
        response.setHeader('content-type', 'application/octet-stream').end(proof);
      } else {
        response.setHeader('content-type', 'text/html').end(page);
      }
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = z.object({ port: z.number() }).parse(server.address());
    const browser = await openInChromium(`http://127.0.0.1:${address.port}/`);
    try {
      const said: unknown = JSON.parse(await Promise.race([posted.promise, browser.failed]));
      const results = z.array(z.object({ set: z.string().optional(), code: z.string().optional() })).parse(said);
      expect(results).toEqual([{ set: 'development' }, { code: 'PROOF_BAD_OPENING' }, { code: 'PROOF_MALFORMED' }]);
      expect(toHex(proof.slice(0, 4))).toBe('0x4c504631');
    } finally {
      await browser.close();
      server.closeAllConnections();
      server.close();
    }
  });
});
