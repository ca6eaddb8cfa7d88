import { readFileSync } from 'node:fs';
import { parseJobFile } from '@latent/sdk';
import { expect, test } from 'vitest';

test('the task file is one that Latent runs, in a private network', () => {
  const text = readFileSync(new URL('task.yaml', import.meta.url), 'utf8');
  expect(parseJobFile(text, 'task.yaml')).toMatchObject({
    ...{ name: 'ddp', machines: 3, workdir: '.', run: 'python3 train.py' },
    latent: { network: 'private', maxLeaseSeconds: 3600 },
  });
});
