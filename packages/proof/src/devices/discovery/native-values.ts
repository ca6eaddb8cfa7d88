/** Memory for C functions to write to and read from. Both machines that matter, x86-64 and ARM64, are little-endian. */

/** More than any device has; what is above it is no size but rubbish. */
const MOST_MEMORY_BYTES = 2 ** 50;

const MOST_TEXT = 128;

export function cell(bytes: number): Uint8Array {
  return new Uint8Array(bytes);
}

export function readUint32(bytes: Uint8Array, offset = 0): number {
  return view(bytes).getUint32(offset, true);
}

export function readUint64(bytes: Uint8Array, offset = 0): bigint {
  return view(bytes).getBigUint64(offset, true);
}

/** @returns undefined for what cannot be the size of a device's memory */
export function readMemoryBytes(bytes: Uint8Array, offset = 0): number | undefined {
  const size = readUint64(bytes, offset);
  return size > 0n && size <= BigInt(MOST_MEMORY_BYTES) ? Number(size) : undefined;
}

/** Text up to its first NUL. @returns undefined when it is empty */
export function readCString(bytes: Uint8Array): string | undefined {
  const end = bytes.indexOf(0);
  return cleanText(new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end)));
}

/**
 * What a driver calls itself goes to terminals and logs: bounded, and of characters that print and take one place: ASCII, Latin-1
 * and the trade mark sign. Everything else becomes a question mark. @returns undefined when nothing is left
 */
export function cleanText(text: string): string | undefined {
  const clean = text
    .replace(/[^\x20-\x7e\u00a1-\u00ff\u2122]/g, '?')
    .trim()
    .slice(0, MOST_TEXT);
  return clean === '' ? undefined : clean;
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
