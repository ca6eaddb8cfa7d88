import { expect, test } from 'vitest';
import { aimAtLeast, aimAtMost } from './benchmark.ts';
import { printResult, type Result } from './print-result.ts';

const result: Result = {
  benchmark: 'gas',
  machine: {
    date: '2026-11-22T12:00:00.000Z',
    commit: 'abc+',
    cpu: 'A processor',
    cores: 2,
    memoryGib: 8,
    kernel: 'Linux 6',
    node: 'v24',
    loadAverageAtStart: [1, 2, 3],
    loadAverageAtEnd: [3, 2, 1],
  },
  tables: [
    {
      title: 'Gas of a call',
      columns: [
        { name: 'call', unit: 'gas' },
        { name: 'share', unit: '%' },
      ],
      rows: [
        { name: 'open', figures: [226_062, 0.00421] },
        { name: 'a longer name', figures: [null, 12.345] },
      ],
    },
  ],
  aims: [
    aimAtMost('open', 226_062, 260_000, 'gas'),
    aimAtMost('close', 2, 1, 'gas'),
    aimAtLeast('speed', 99, 100, 'MB/s'),
  ],
  notes: ['Nothing was left out.'],
};

test('a result is printed with its machine, its units, and what was not measured', () => {
  expect(printResult(result)).toBe(`gas, 2026-11-22T12:00:00.000Z, commit abc+
A processor, 2 cores, 8 GiB, Linux 6, Node v24
load average 1 2 3 before, 3 2 1 after

Gas of a call
                   call [gas]  share [%]
  open                226,062     0.0042
  a longer name  not measured       12.3

Aims
  ✓ open: 226,062 gas, aim at most 260,000 gas
  ✗ close: 2 gas, aim at most 1 gas
  ✗ speed: 99 MB/s, aim at least 100 MB/s

Notes
  Nothing was left out.`);
});
