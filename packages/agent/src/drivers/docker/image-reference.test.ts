import { expect, test } from 'vitest';
import { fullReference } from './image-reference.ts';

const digest = `sha256:${'0f'.repeat(32)}`;

test.each([
  ['debian', 'docker.io/library/debian:latest'],
  ['debian:bookworm', 'docker.io/library/debian:bookworm'],
  ['pytorch/pytorch', 'docker.io/pytorch/pytorch:latest'],
  ['docker.io/library/debian', 'docker.io/library/debian:latest'],
  ['ghcr.io/org/name:1.2', 'ghcr.io/org/name:1.2'],
  ['localhost/name', 'localhost/name:latest'],
  ['127.0.0.1:5000/a/b', '127.0.0.1:5000/a/b:latest'],
  ['registry:5000/a:t', 'registry:5000/a:t'],
  [`debian:bookworm@${digest}`, `docker.io/library/debian@${digest}`],
  [`127.0.0.1:5000/a@${digest}`, `127.0.0.1:5000/a@${digest}`],
])('%s is in full %s', (written, full) => {
  expect(fullReference(written)).toBe(full);
  expect(fullReference(full)).toBe(full);
});
