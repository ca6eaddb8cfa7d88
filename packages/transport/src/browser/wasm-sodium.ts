import { LatentError } from '@latent/protocol';
import createLibSodium, { type LibSodium } from 'libsodium-sumo';

declare global {
  /** Here, where every copy of this module finds it: the development server of Vite makes two, one with the packages that it bundles. */
  var latentSodium: LibSodium | undefined;
}
let loading: Promise<void> | undefined;

/**
 * Starts libsodium; to be awaited once before anything of `sodium-universal.ts` is called. Further calls wait for the first.
 * A page's content security policy has to allow WASM (`script-src 'wasm-unsafe-eval'`).
 * @throws LatentError CONFIG_INVALID when WASM cannot be started here
 */
export function loadSodium(): Promise<void> {
  loading ??= start();
  return loading;
}

async function start(): Promise<void> {
  try {
    const started = await createLibSodium({ getRandomValue });
    if (started._sodium_init() < 0) throw new LatentError('INTERNAL', 'libsodium did not start.');
    globalThis.latentSodium = started;
  } catch (cause) {
    const hint = "Allow WASM: a page's content security policy needs script-src 'wasm-unsafe-eval'.";
    throw new LatentError('CONFIG_INVALID', 'Encryption in WASM cannot be started here.', { cause, hint });
  }
}

function getRandomValue(): number {
  const [value = 0] = crypto.getRandomValues(new Uint32Array(1));
  return value;
}

/** How the bytes of one call get into the memory of the WASM module and out of it. Each method gives an address there. */
export interface WasmMemory {
  /** Bytes that are read. */
  input(bytes: Uint8Array): number;
  /** Bytes that are read, of which libsodium has to be told the length: address, length, high half of the length. */
  sized(bytes: Uint8Array): readonly [number, number, 0];
  /** Bytes that are written: overwritten in the caller's array when the call ends well, else left alone. */
  output(bytes: Uint8Array): number;
  /** Bytes that are read and written. */
  inPlace(bytes: Uint8Array): number;
  /** Bytes for this call alone. */
  scratch(length: number): number;
}

/**
 * Makes one call to libsodium. Nothing of it stays in the memory of the WASM module: what was lent is overwritten, as it held
 * keys and plain text, and freed. Arrays of the caller may overlap: all are read before one is written.
 * @param work reads all inputs, calls, and returns the status
 * @returns whether the status was 0
 * @throws LatentError INTERNAL before {@link loadSodium} has settled, and when there is no memory left
 */
export function callSodium(work: (sodium: LibSodium, memory: WasmMemory) => number): boolean {
  const sodium = globalThis.latentSodium;
  if (sodium === undefined) throw new LatentError('INTERNAL', 'Encryption is used before it was started.');
  const loan = new Loan(sodium);
  try {
    const isGood = work(sodium, loan) === 0;
    if (isGood) loan.writeOutputs();
    return isGood;
  } finally {
    loan.end();
  }
}

interface Block {
  readonly address: number;
  readonly length: number;
}

class Loan implements WasmMemory {
  readonly #sodium: LibSodium;
  readonly #blocks: Block[] = [];
  readonly #outputs: { readonly address: number; readonly bytes: Uint8Array }[] = [];

  constructor(sodium: LibSodium) {
    this.#sodium = sodium;
  }

  input(bytes: Uint8Array): number {
    const address = this.scratch(bytes.byteLength);
    this.#sodium.HEAPU8.set(bytes, address);
    return address;
  }

  sized(bytes: Uint8Array): readonly [number, number, 0] {
    return [this.input(bytes), bytes.byteLength, 0];
  }

  output(bytes: Uint8Array): number {
    const address = this.scratch(bytes.byteLength);
    this.#outputs.push({ address, bytes });
    return address;
  }

  inPlace(bytes: Uint8Array): number {
    const address = this.input(bytes);
    this.#outputs.push({ address, bytes });
    return address;
  }

  scratch(length: number): number {
    const address = this.#sodium._malloc(Math.max(1, length));
    if (address === 0) throw new LatentError('INTERNAL', `No memory left in WASM for ${length} bytes.`);
    this.#blocks.push({ address, length });
    return address;
  }

  writeOutputs(): void {
    // Fetched here and not before: an allocation may have replaced it.
    const memory = this.#sodium.HEAPU8;
    for (const { address, bytes } of this.#outputs) bytes.set(memory.subarray(address, address + bytes.byteLength));
  }

  end(): void {
    const memory = this.#sodium.HEAPU8;
    for (const { address, length } of this.#blocks) {
      memory.fill(0, address, address + length);
      this.#sodium._free(address);
    }
  }
}
