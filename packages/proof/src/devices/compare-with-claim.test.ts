import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ClaimVerdict, compareWithClaim, LEAST_AS_CLAIMED, MOST_AS_CLAIMED } from './compare-with-claim.ts';
import { knownDevices } from './known/known-devices.ts';

const GIB = 1024n ** 3n;
const h200 = { name: 'NVIDIA H200', class: 'gpu' } as const;
const asOnPaper = {
  operationsPerSecond: 1_979n * 10n ** 12n,
  memoryBytes: 141n * GIB,
  bytesPerSecond: 4_800n * 10n ** 9n,
};

const amount = fc.bigInt({ min: 0n, max: 2n ** 80n });
const measurement = fc.record({ operationsPerSecond: amount, memoryBytes: amount, bytesPerSecond: amount });
const anyDevice = fc.constantFrom(...knownDevices);

describe('compareWithClaim', () => {
  it('puts the three numbers beside the paper figures', () => {
    const { operations, memory, bandwidth, verdict, known } = compareWithClaim(asOnPaper, h200);
    expect(known?.name).toBe('NVIDIA H200');
    expect([operations.ratio, memory.ratio, bandwidth.ratio]).toEqual([1, 1, 1]);
    expect(verdict).toBe('as claimed');
  });

  it('calls a smaller device that poses as a larger one below, in the number that gives it away', () => {
    const h100 = { ...asOnPaper, memoryBytes: 78n * GIB, bytesPerSecond: 3_100n * 10n ** 9n };
    const { operations, memory, bandwidth, verdict } = compareWithClaim(h100, h200);
    expect([operations.verdict, memory.verdict, bandwidth.verdict]).toEqual(['as claimed', 'below', 'below']);
    expect(verdict).toBe('below');
  });

  it('calls several devices that pose as one above, even where another number is below', () => {
    const two = { ...asOnPaper, operationsPerSecond: 3_900n * 10n ** 12n, memoryBytes: 80n * GIB };
    expect(compareWithClaim(two, h200).verdict).toBe('above');
  });

  it('compares with the part of the paper figure that a kernel is known to reach, and still calls more than paper above', () => {
    const half = { ...asOnPaper, operationsPerSecond: 900n * 10n ** 12n };
    const expected = { operations: 0.5, memory: 1, bandwidth: 1 };
    expect(compareWithClaim(half, h200, { ...expected, operations: 1 }).operations.verdict).toBe('below');
    expect(compareWithClaim(half, h200, expected).operations.verdict).toBe('as claimed');
    expect(compareWithClaim(asOnPaper, h200, expected).operations.verdict).toBe('as claimed');
  });

  it('does not judge operations below the paper figure where no kernel was measured, and shows how far they are', () => {
    const half = { ...asOnPaper, operationsPerSecond: 900n * 10n ** 12n };
    const { operations, verdict } = compareWithClaim(half, h200);
    expect(operations).toMatchObject({ verdict: 'not known', ratio: 0.454775 });
    expect(verdict).toBe('not known');
  });

  it('does not call the larger variant of one name suspicious', () => {
    const claim = { name: 'NVIDIA GeForce RTX 3060 Ti', class: 'gpu' } as const;
    const withGddr6x = {
      operationsPerSecond: 120n * 10n ** 12n,
      memoryBytes: 8n * GIB,
      bytesPerSecond: 590n * 10n ** 9n,
    };
    expect(compareWithClaim(withGddr6x, claim).bandwidth).toMatchObject({
      verdict: 'as claimed',
      reference: 448n * 10n ** 9n,
    });
  });

  it('takes the faster format where a device is slow in one of them', () => {
    const claim = { name: 'NVIDIA B300', class: 'gpu' } as const;
    expect(compareWithClaim(asOnPaper, claim).operations.reference).toBe(2_250n * 10n ** 12n);
  });

  it('has nothing to say of a number that is not known, and says so', () => {
    const claim = { name: 'Apple M4 Max', class: 'gpu' } as const;
    const measured = { operationsPerSecond: 10n ** 13n, memoryBytes: 64n * GIB, bytesPerSecond: 500n * 10n ** 9n };
    const { operations, memory, bandwidth, verdict } = compareWithClaim(measured, claim);
    expect([operations.verdict, memory.verdict, bandwidth.verdict, verdict]).toEqual([
      'not known',
      'not known',
      'as claimed',
      'not known',
    ]);
    expect(operations.ratio).toBeUndefined();
  });

  it('never compares a processor or a software adapter as a GPU, whatever it calls itself', () => {
    fc.assert(
      fc.property(measurement, anyDevice, fc.constantFrom('cpu', 'software'), (measured, { name }, kind) => {
        const { verdict, known, reason, operations } = compareWithClaim(measured, { name, class: kind });
        expect([verdict, known, operations.verdict]).toEqual(['not known', undefined, 'not known']);
        expect(reason).toContain(kind);
      }),
    );
  });

  it('keeps what was measured, to the last digit', () => {
    fc.assert(
      fc.property(measurement, anyDevice, (measured, { name }) => {
        const { operations, memory, bandwidth } = compareWithClaim(measured, { name, class: 'gpu' });
        expect({
          operationsPerSecond: operations.measured,
          memoryBytes: memory.measured,
          bytesPerSecond: bandwidth.measured,
        }).toEqual(measured);
      }),
    );
  });

  it('moves from below over as claimed to above as a measurement grows, and never back', () => {
    const rank: Readonly<Record<ClaimVerdict, number>> = { below: 0, 'as claimed': 1, above: 2, 'not known': -1 };
    fc.assert(
      fc.property(anyDevice, amount, amount, (device, one, other) => {
        const claim = { name: device.name, class: 'gpu', memoryBytes: (device.memoryGiB ?? 1) * Number(GIB) } as const;
        const [less, more] = one < other ? [one, other] : [other, one];
        const rankOf = (bytesPerSecond: bigint) =>
          rank[compareWithClaim({ ...asOnPaper, bytesPerSecond }, claim).bandwidth.verdict];
        expect(rankOf(less)).toBeLessThanOrEqual(rankOf(more));
      }),
    );
  });

  it('draws its lines at the stated parts of the reference', () => {
    const bandwidth = 4_800n * 10n ** 9n;
    const at = (ppm: bigint) =>
      compareWithClaim({ ...asOnPaper, bytesPerSecond: (bandwidth * ppm) / 1_000_000n }, h200).bandwidth.verdict;
    const least = BigInt(LEAST_AS_CLAIMED * 1_000_000);
    const most = BigInt(Math.round(MOST_AS_CLAIMED * 1_000_000));
    expect([at(least - 1n), at(least), at(most), at(most + 1n)]).toEqual([
      'below',
      'as claimed',
      'as claimed',
      'above',
    ]);
  });

  it('refuses parts that are none, and negative measurements', () => {
    for (const operations of [0, -1, 1.01, Number.NaN]) {
      expect(() => compareWithClaim(asOnPaper, h200, { operations, memory: 1, bandwidth: 1 })).toThrow(RangeError);
    }
    expect(() => compareWithClaim({ ...asOnPaper, memoryBytes: -1n }, h200)).toThrow(RangeError);
  });
});
