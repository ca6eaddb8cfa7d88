import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { generateVectors } from './gen-vectors.ts';

const root = join(import.meta.dirname, '..');

describe('generateVectors', () => {
  it('generates exactly the files that are committed', async () => {
    const vectors = await generateVectors();
    expect([...vectors.keys()]).toEqual([
      'packages/protocol/vectors/messages.json',
      'packages/protocol/vectors/charges.json',
      'packages/protocol/vectors/rosters.json',
    ]);
    for (const [path, content] of vectors) expect(await readFile(join(root, path), 'utf8')).toBe(content);
  });

  it('covers each bound of the metering by some dozens of cases', async () => {
    const content = (await generateVectors()).get('packages/protocol/vectors/charges.json') ?? '';
    const text = z.string().regex(/^\d+$/).transform(BigInt);
    const row = z.object({ units: text, payableUnits: text, charge: text, stopAt: text, now: text });
    const { cases } = z.object({ cases: z.array(row) }).parse(JSON.parse(content));
    const count = (wanted: (one: z.infer<typeof row>) => boolean) => cases.filter(wanted).length;

    expect(cases).toHaveLength(405);
    expect(count((one) => one.payableUnits === 0n)).toBeGreaterThan(24);
    expect(count((one) => one.payableUnits > 0n && one.payableUnits < one.units)).toBeGreaterThan(24);
    expect(count((one) => one.payableUnits > 0n && one.payableUnits === one.units)).toBeGreaterThan(24);
    expect(count((one) => one.charge > 2n ** 96n)).toBeGreaterThan(1);
    expect(count((one) => one.stopAt !== 0n && one.stopAt < one.now && one.payableUnits > 0n)).toBeGreaterThan(24);
  });

  it('covers rosters with members of every kind by some dozens of cases', async () => {
    const content = (await generateVectors()).get('packages/protocol/vectors/rosters.json') ?? '';
    const text = z.string().regex(/^\d+$/).transform(BigInt);
    const row = z.object({
      stopAt: text,
      until: z.array(text),
      from: z.array(text),
      payableNow: z.array(text),
      owed: text,
    });
    const { cases } = z.object({ cases: z.array(row) }).parse(JSON.parse(content));
    const count = (wanted: (one: z.infer<typeof row>) => boolean) => cases.filter(wanted).length;

    expect(cases).toHaveLength(200);
    expect(count(({ until }) => until.includes(1n))).toBeGreaterThan(24);
    expect(count(({ until }) => until.some((one) => one > 1n))).toBeGreaterThan(24);
    expect(count(({ from }) => from.some((one) => one > 0n))).toBeGreaterThan(24);
    expect(count(({ stopAt, payableNow }) => stopAt !== 0n && payableNow.some((one) => one > 0n))).toBeGreaterThan(24);
    expect(count(({ payableNow }) => payableNow.includes(0n))).toBeGreaterThan(24);
    expect(count(({ owed }) => owed > 0n)).toBeGreaterThan(150);
  });
});
