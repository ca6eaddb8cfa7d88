import { readFileSync } from 'node:fs';
import { parseJobFile } from '@latent/sdk';
import { expect, test } from 'vitest';

test('the task file is one that Latent runs', () => {
  const text = readFileSync(new URL('task.yaml', import.meta.url), 'utf8');
  expect(parseJobFile(text, 'task.yaml')).toMatchObject({
    name: 'digits',
    machines: 4,
    workdir: '.',
    run: 'node train.ts',
    requirements: { devices: { kind: 'cpu', count: 1 }, minCpus: 1, minMemoryGib: 1 },
    latent: { priceCapMicrodollarsPerDeviceHour: 600_000n, maxLeaseSeconds: 3600, outputs: ['outputs/model.json'] },
  });
});
