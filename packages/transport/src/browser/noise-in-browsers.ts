import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

/**
 * A plugin for Vite with which a page can use this package. Encrypted streams stay the library that Node runs; below it, WASM
 * takes the place of the compiled libsodium, and an event emitter in JavaScript that of Node's. `@latent/transport` is what
 * `@latent/transport/browser` is.
 *
 * Modules are ES modules then (`await` stands outside of functions), and a content security policy has to allow WASM:
 * `script-src 'wasm-unsafe-eval'`.
 */
export function noiseInBrowsers(): Plugin {
  const secretStream = fileURLToPath(import.meta.resolve('./noise-secret-stream.ts'));
  const sodium = fileURLToPath(import.meta.resolve('./sodium-entry.ts'));
  const ownEntry = fileURLToPath(import.meta.resolve('./index.ts'));
  // What `events-universal` itself takes where there is no Node; its entry wants Node's `events`.
  const events = fileURLToPath(import.meta.resolve('bare-events'));
  return {
    name: 'latent:noise-in-browsers',
    config: () => ({
      resolve: {
        alias: [
          { find: /^@hyperswarm\/secret-stream$/, replacement: secretStream },
          { find: /^sodium-universal$/, replacement: sodium },
          { find: /^events-universal$/, replacement: events },
          // So that modules for Node and browsers alike name the package as everywhere.
          { find: /^@latent\/transport$/, replacement: ownEntry },
        ],
      },
    }),
  };
}
