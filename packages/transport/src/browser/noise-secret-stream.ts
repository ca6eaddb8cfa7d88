import { loadSodium } from './wasm-sodium.ts';

// What `@hyperswarm/secret-stream` is in a browser: itself, once libsodium runs. It hashes while it is being loaded, so it must
// be loaded after that; whoever imports it waits at the import and need not know.
await loadSodium();
const { default: NoiseSecretStream } = await import('@hyperswarm/secret-stream/index.js');

export default NoiseSecretStream;
