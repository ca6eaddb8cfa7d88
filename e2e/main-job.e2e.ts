import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { expectToAddUp, parseBill } from './network/bill.ts';
import { processesOf } from './network/own-processes.ts';
import { startLatent } from './network/run-latent.ts';
import { closeHome, makeHome } from './network/test-network.ts';

const resultSchema = z.object({ cluster: z.string(), outputs: z.string(), bill: z.unknown() });
const modelSchema = z.object({ parameters: z.array(z.number()).min(100) });

let home: string;

beforeAll(() => {
  home = makeHome();
});
afterAll(() => closeHome(home));

test('the main job: rents from four of six operators, trains, checks the result, settles, and leaves nothing running', async () => {
  const argv = ['devnet', 'demo', 'examples/digits/task.yaml', '--check', 'examples/digits/evaluate.ts', '--json'];
  const { code, stdout, stderr } = await startLatent(argv, { home }).ended;
  expect(code, stderr).toBe(0);
  expect(stderr.match(/ taken$/gm)).toHaveLength(4);
  const { cluster, outputs, bill } = resultSchema.parse(JSON.parse(stdout));
  expect(cluster).toBe('digits');
  modelSchema.parse(JSON.parse(readFileSync(join(outputs, 'rank-0', 'outputs', 'model.json'), 'utf8')));
  const printed = parseBill(bill);
  expectToAddUp(printed);
  expect(printed.members).toHaveLength(4);
  expect(printed.members.every(({ deviceSeconds }) => deviceSeconds > 0n)).toBe(true);
  expect(processesOf(home)).toEqual([]);
});
