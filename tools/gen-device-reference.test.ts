import { figureSources, knownDevices } from '@latent/proof/devices';
import { expect, it } from 'vitest';
import { generateDeviceReference } from './gen-device-reference.ts';

const [page = ''] = generateDeviceReference().values();
const rows = page.split('\n').filter((line) => line.startsWith('| ') && !/^\| (device|---) /.test(line));

it('gives each known device one row of five cells', () => {
  expect(rows.map((row) => row.split(' | ')[0]?.slice(2)).toSorted()).toEqual(
    knownDevices.map(({ name }) => name).toSorted(),
  );
  for (const row of rows) expect(row.split('|')).toHaveLength(7);
});

it('gives every figure the number of a source that is listed', () => {
  const listed = page.split('\n').flatMap((line) => /^(\d+)\. /.exec(line)?.slice(1) ?? []);
  expect(listed).toHaveLength(Object.keys(figureSources).length);
  const cells = rows.flatMap((row) => row.split(' | ').slice(2));
  expect(cells.length).toBe(knownDevices.length * 3);
  for (const cell of cells) {
    const [, number] = /^(?:[\d.]+(?: – [\d.]+)? [shc](\d+)|–)(?: \|)?$/.exec(cell) ?? ['', 'none'];
    expect(number === undefined || listed.includes(number)).toBe(true);
  }
});

it('says of every source whether it was compared', () => {
  const lines = page.split('\n').filter((line) => /^\d+\. /.test(line));
  expect(lines.filter((line) => !/(Compared \d{4}-\d{2}|\*\*Not re-checked\*?)\.\**$/.test(line))).toEqual([]);
});
