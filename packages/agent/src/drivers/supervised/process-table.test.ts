import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { descendantsOf, isRunning, type ProcessInfo, parseStat, readProcess, readProcesses } from './process-table.ts';

const line = (name: string) =>
  `4711 (${name}) S 4710 4711 4709 0 -1 4194560 153 0 0 0 12 7 3 1 20 0 1 0 123456 2560000 300 18446744073709551615`;

test('reads a process whose name holds blanks and brackets', () => {
  for (const name of ['sh', 'a b', ') Z 1 (', '((']) {
    expect(parseStat(line(name))).toEqual({
      pid: 4711,
      startTicks: 123456,
      parent: 4710,
      session: 4709,
      ended: false,
      cpuTicks: 23,
      residentPages: 300,
    });
  }
});

test('makes nothing of a line that is none', () => {
  expect(parseStat('')).toBeUndefined();
  expect(parseStat('4711 (sh')).toBeUndefined();
});

test('knows a running process from another with its number, and from one that has ended', async () => {
  const child = spawn('sleep', ['600']);
  const info = await readProcess(child.pid ?? 0);
  if (info === undefined) throw new Error('the child was not found');
  expect(info.parent).toBe(process.pid);
  expect(await isRunning(info)).toBe(true);
  expect(await isRunning({ ...info, startTicks: info.startTicks + 1 })).toBe(false);
  expect((await readProcesses()).map((one) => one.pid)).toContain(info.pid);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await isRunning(info)).toBe(false);
  expect(await readProcess(info.pid)).toBeUndefined();
});

test('finds children of children, and not the root or strangers', () => {
  const make = (pid: number, parent: number): ProcessInfo => ({
    ...{ pid, parent, startTicks: 1, session: 1, ended: false, cpuTicks: 0, residentPages: 0 },
  });
  const all = [make(1, 0), make(10, 1), make(11, 10), make(12, 11), make(20, 1)];
  expect(descendantsOf(10, all).map((info) => info.pid)).toEqual([11, 12]);
  expect(descendantsOf(99, all)).toEqual([]);
});
