import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bookOptionsSchema } from './options.ts';

const guide = await readFile(join(import.meta.dirname, '../../../docs/guide/book.md'), 'utf8');

/** The settings files that the guide shows. */
const examples = [...guide.matchAll(/```json book\n([^`]*)```/g)].map(([, text = '']): unknown => JSON.parse(text));

describe('settings of a book', () => {
  it('are what the guide shows', () => {
    expect(examples.map((example) => bookOptionsSchema.parse(example))).toMatchObject([
      { discoveryPorts: [3_478, 3_479], proxies: ['127.0.0.1'], relayBytesPerSecond: 125_000_000, discovery: true },
    ]);
  });

  it('are all named in the guide, with their defaults', () => {
    const defaults = bookOptionsSchema.parse({ ...Object(examples[0]), ...onlyRequired() });
    for (const name of Object.keys(bookOptionsSchema.shape)) expect(guide).toContain(`\`${name}\``);
    const rows = new Map(
      [...guide.matchAll(/^\| (`[^|]*) \| [^|]* \| ([^|]*) \|$/gm)].map(([, names = '', values = '']) => [
        names,
        values,
      ]),
    );
    for (const [names, values] of rows) {
      const shown = values.split(', ').map((value) => value.trim());
      for (const [at, name] of names
        .split(', ')
        .map((text) => text.replaceAll('`', ''))
        .entries()) {
        const value: unknown = Object.entries(defaults).find(([key]) => key === name)?.[1];
        if (typeof value === 'number') expect(`${name} ${toNumber(shown[at] ?? '')}`).toBe(`${name} ${value}`);
      }
    }
    expect(rows.size).toBeGreaterThan(15);
  });

  it.each([
    ['an unknown name', { prot: 1 }],
    ['the same port twice', { discoveryPorts: [4_000, 4_000] }],
    ['a proxy that is no address', { proxies: ['proxy.example'] }],
    ['a rate that lets nothing through', { relayBytesPerSecond: 1 }],
    ['a queue that holds no frame', { relayQueueBytesPerChannel: 1_000 }],
    ['a negative allowance', { relayFreeBytesPerKey: -1 }],
  ])('are refused with %s', (_, change) => {
    expect(bookOptionsSchema.safeParse({ ...Object(examples[0]), ...change }).success).toBe(false);
  });

  it('may allow nothing to be relayed without payment', () => {
    const none = { relayFreeBytesPerKey: 0, relayFreeBytesPerAddress: 0 };
    expect(bookOptionsSchema.safeParse({ ...Object(examples[0]), ...none }).success).toBe(true);
  });
});

/** Undefined for all that has a default. */
function onlyRequired(): Record<string, undefined> {
  const names = Object.keys(bookOptionsSchema.shape).filter((name) => name !== 'deployment' && name !== 'dataDir');
  return Object.fromEntries(names.map((name) => [name, undefined]));
}

/** `125 MB`, `8 MiB`, `1,024`. */
function toNumber(text: string): number {
  const units = new Map([
    ['MB', 1e6],
    ['MiB', 2 ** 20],
    ['GiB', 2 ** 30],
  ]);
  const [amount = '', unit = ''] = text.split(' ');
  return Number(amount.replaceAll(',', '')) * (units.get(unit) ?? 1);
}
