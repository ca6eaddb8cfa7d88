import { describe, expect, it } from 'vitest';
import { formatBandwidth, formatMemory, formatOperations, showProof } from './show-proof.ts';

describe('figures of a proof', () => {
  it.each([
    [formatOperations(0n), '0.00 GOPS'],
    [formatOperations(57_999_999_999n), '57.9 GOPS'],
    [formatOperations(1_512_345_678_901_234n), '1512 TOPS'],
    [formatMemory(512n * 2n ** 20n), '512 MiB'],
    [formatMemory(2n ** 37n), '128 GiB'],
    [formatMemory(3n * 2n ** 29n), '1.50 GiB'],
    [formatBandwidth(999_999_999n), '999 MB/s'],
    [formatBandwidth(4_800_000_000_000n), '4800 GB/s'],
  ])('are rounded down and have their unit: %s', (shown, expected) => {
    expect(shown).toBe(expected);
  });
});

describe('showProof', () => {
  const record = { device: { name: 'Test 9000', class: 'gpu', engine: 'cuda' }, observer: 'self' } as const;

  it('says that times of the machine itself convince nobody else', () => {
    const rates = { operationsPerSecond: 10n ** 12n, memoryBytes: 2n ** 30n, bytesPerSecond: 10n ** 9n };
    const text = showProof(record, undefined, { outcome: 'proven', measured: rates, proven: rates });
    expect(text).toContain('1.00 TOPS');
    expect(text).toContain('convinces nobody else');
  });

  it('says that another observer is only what the file says', () => {
    const rates = { operationsPerSecond: 1n, memoryBytes: 1n, bytesPerSecond: 1n };
    const foreign = { ...record, observer: 'verifier 0x12' };
    const text = showProof(foreign, undefined, { outcome: 'proven', measured: rates, proven: rates });
    expect(text).toContain('The file says that beacons and times are those of "verifier 0x12"');
    expect(text).toContain('Nothing in it is signed');
  });

  it('says of the device only what it calls itself', () => {
    const text = showProof(record, undefined, { outcome: 'failed', code: 'PROOF_MALFORMED', reason: '' });
    expect(text).toContain('Test 9000: calls itself a GPU, engine cuda');
  });

  it('shows nothing of others that a terminal would act on', () => {
    const hostile = 'a\u001b[2J\u009b1A\u202e\nb';
    const text = showProof({ device: { name: hostile, class: 'gpu', engine: hostile }, observer: hostile }, undefined, {
      ...{ outcome: 'not measured', code: 'DEVICE_LOST', reason: hostile },
    });
    expect(text.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
    expect(text.split('\n').filter((line) => line.startsWith('b'))).toEqual([]);
  });

  it('tells a failure from what was not measured', () => {
    const verdict = { code: 'DEVICE_LOST', reason: 'It was reset.' } as const;
    expect(showProof(record, undefined, { outcome: 'not measured', ...verdict })).toContain(
      'Not measured (DEVICE_LOST): It was reset.',
    );
    expect(showProof(record, undefined, { outcome: 'failed', ...verdict })).toContain('Failed (DEVICE_LOST)');
  });

  it('never passes a software device for a GPU', () => {
    const software = { ...record, device: { ...record.device, class: 'software' as const } };
    expect(showProof(software, undefined, { outcome: 'failed', code: 'DEVICE_LOST', reason: '' })).toContain(
      'never scored as a GPU',
    );
  });
});
