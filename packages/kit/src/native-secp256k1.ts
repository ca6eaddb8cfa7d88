import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** libsecp256k1, compiled for this machine. Synchronous; nonces by RFC 6979, `s` in the lower half. */
export interface NativeSecp256k1 {
  /** @param digest 32 bytes @param secret 32 bytes @returns r, s, and 27 or 28 @throws if the secret is no private key */
  sign(digest: Uint8Array, secret: Uint8Array): Uint8Array;
  /** @param signature 65 bytes @returns the public key's 64 bytes, undefined if there is none */
  recover(digest: Uint8Array, signature: Uint8Array): Uint8Array | undefined;
}

/** What the addon offers. It reads as many bytes as it wants, whatever length it is given: lengths are checked here. */
interface Addon {
  contextRandomize(seed: Uint8Array): number;
  ecdsaSign(
    out: { readonly signature: Uint8Array; recid: number },
    digest: Uint8Array,
    secret: Uint8Array,
    data: undefined,
    nonce: undefined,
  ): number;
  ecdsaRecover(key: Uint8Array, signature: Uint8Array, recoveryId: number, digest: Uint8Array): number;
}

/** The addon's answer when all went well; anything else is why not. */
const DONE = 0;
const FIRST_V = 27;

/**
 * The package's own entry is passed by: it would load an implementation in JavaScript where it finds no other.
 * @param randomBytes a secure source, for blinding against side channels
 * @returns undefined where the package has nothing for this machine
 */
export function loadNativeSecp256k1(randomBytes: (size: number) => Uint8Array): NativeSecp256k1 | undefined {
  const addon = findAddon();
  if (addon === undefined || addon.contextRandomize(sized(randomBytes(32), 32)) !== DONE) return undefined;
  return {
    sign: (digest, secret) => {
      const signature = new Uint8Array(65);
      const out = { signature: signature.subarray(0, 64), recid: 0 };
      if (addon.ecdsaSign(out, sized(digest, 32), sized(secret, 32), undefined, undefined) !== DONE) {
        throw new RangeError('the secret is no private key of secp256k1');
      }
      signature[64] = FIRST_V + out.recid;
      return signature;
    },
    recover: (digest, signature) => {
      const recoveryId = (sized(signature, 65)[64] ?? 0) - FIRST_V;
      if (recoveryId !== 0 && recoveryId !== 1) return undefined;
      const key = new Uint8Array(65);
      const result = addon.ecdsaRecover(key, signature.subarray(0, 64), recoveryId, sized(digest, 32));
      return result === DONE ? key.subarray(1) : undefined;
    },
  };
}

function findAddon(): Addon | undefined {
  const require = createRequire(import.meta.url);
  const names = ['secp256k1.glibc.node', 'secp256k1.musl.node', 'secp256k1.node'];
  for (const name of names) {
    try {
      const folder = dirname(require.resolve('secp256k1/package.json'));
      const loaded: unknown = require(join(folder, 'prebuilds', `${process.platform}-${process.arch}`, name));
      if (hasClass(loaded)) return new loaded.Secp256k1();
    } catch {
      // Not installed, not built for this system, or built for another C library: the next one, or none.
    }
  }
  return undefined;
}

function hasClass(loaded: unknown): loaded is { readonly Secp256k1: new () => Addon } {
  return (
    typeof loaded === 'object' && loaded !== null && 'Secp256k1' in loaded && typeof loaded.Secp256k1 === 'function'
  );
}

function sized(bytes: Uint8Array, size: number): Uint8Array {
  if (bytes.length !== size) throw new RangeError(`${bytes.length} bytes instead of ${size}`);
  return bytes;
}
