import { describe, expect, it, vi } from 'vitest';
import { callSodium, loadSodium } from './wasm-sodium.ts';

const MIB = 1024 * 1024;

/** A copy of the whole memory. */
function memoryNow(): Buffer {
  let copy = Buffer.alloc(0);
  callSodium((sodium) => {
    copy = Buffer.from(sodium.HEAPU8);
    return 0;
  });
  return copy;
}

describe('calls to libsodium', () => {
  it('say so when they come before it was started', async () => {
    expect(() => callSodium(() => 0)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
    await loadSodium();
    expect(callSodium(() => 0)).toBe(true);
  });

  it('work in another copy of the module than the one that started it', async () => {
    await loadSodium();
    vi.resetModules();
    const copy = await import('./wasm-sodium.ts');
    expect(copy.callSodium).not.toBe(callSodium);
    expect(copy.callSodium(() => 0)).toBe(true);
  });

  it('write to the arrays of the caller only when they end well', async () => {
    await loadSodium();
    const bytes = Uint8Array.of(1, 2, 3);
    const fill = (status: number) =>
      callSodium((sodium, memory) => {
        const at = memory.inPlace(bytes);
        sodium.HEAPU8.fill(9, at, at + 3);
        return status;
      });
    expect(fill(-1)).toBe(false);
    expect(bytes).toEqual(Uint8Array.of(1, 2, 3));
    expect(fill(0)).toBe(true);
    expect(bytes).toEqual(Uint8Array.of(9, 9, 9));
  });

  it('leave none of the bytes they were given in the memory', async () => {
    await loadSodium();
    const secret = Buffer.from('what nobody else may ever read');
    let during = Buffer.alloc(0);
    const leak = (end: () => number) =>
      callSodium((sodium, memory) => {
        const [copy] = memory.sized(secret);
        sodium.HEAPU8.copyWithin(memory.output(new Uint8Array(secret.byteLength)), copy, copy + secret.byteLength);
        during = Buffer.from(sodium.HEAPU8);
        return end();
      });
    leak(() => 0);
    expect(during.includes(secret)).toBe(true);
    expect(memoryNow().includes(secret)).toBe(false);
    leak(() => -1);
    expect(memoryNow().includes(secret)).toBe(false);
    const failure = new Error('a defect');
    expect(() =>
      leak(() => {
        throw failure;
      }),
    ).toThrow(failure);
    expect(memoryNow().includes(secret)).toBe(false);
  });

  it('take back what they lent, however often they are made', async () => {
    await loadSodium();
    const message = new Uint8Array(MIB);
    const lend = () => callSodium((_, memory) => memory.input(message) * 0 + memory.output(new Uint8Array(MIB)) * 0);
    lend();
    const { byteLength } = memoryNow();
    for (let count = 0; count < 200; count += 1) lend();
    expect(memoryNow().byteLength).toBe(byteLength);
  });
});
