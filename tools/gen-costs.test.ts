import { describe, expect, it } from 'vitest';
import { generateCosts } from './gen-costs.ts';

const page = async (...given: Parameters<typeof generateCosts>) =>
  (await generateCosts(...given)).get('docs/reference/costs.md') ?? '';
const rowsOf = (text: string) =>
  text
    .split('\n')
    .filter((line) => / (1 hour|1 day|30 days) /.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()));

describe('the page of costs', () => {
  it('has every fleet at every length, with one column for each price of gas', async () => {
    const rows = rowsOf(await page());
    expect(rows).toHaveLength(15);
    expect(new Set(rows.map(([, devices]) => devices))).toEqual(new Set(['1', '8', '64', '512']));
  });

  it('follows its formula, rounded up', async () => {
    const assumptions = { dollarsPerEther: 1_000, dollarsPerDeviceHour: 1, gweiPerGas: [1], feeBps: 50 };
    for (const [, devices, , length, value, gas, chain, fee] of rowsOf(await page(assumptions))) {
      const hours = { '1 hour': 1, '1 day': 24, '30 days': 720 }[length ?? ''] ?? 0;
      expect(value).toBe(`$${(Number(devices) * hours).toLocaleString('en-US')}`);
      const dollars = Number(gas?.replaceAll(',', '')) * 1e-6;
      const [shown = '', percent = ''] = (chain ?? '').replaceAll(/[$%]/g, '').split(', ');
      expect(Number(shown)).toBeGreaterThanOrEqual(dollars * 0.999_999);
      expect(Number(shown)).toBeLessThan(dollars * 1.11);
      expect(Number(percent)).toBeGreaterThanOrEqual(((100 * dollars) / (Number(devices) * hours)) * 0.999_999);
      expect(fee).toBe('0.5 %');
    }
  });
});
