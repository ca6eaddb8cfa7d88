import { describe, expect, test } from 'vitest';
import { parseImageName } from './parse-image-name.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const hub = 'registry-1.docker.io';

describe('the name of an image', () => {
  test.each([
    ['python', hub, 'library/python', 'latest', undefined],
    ['python:3.12-slim', hub, 'library/python', '3.12-slim', undefined],
    ['pytorch/pytorch', hub, 'pytorch/pytorch', 'latest', undefined],
    ['docker.io/python', hub, 'library/python', 'latest', undefined],
    ['index.docker.io/a/b:c', hub, 'a/b', 'c', undefined],
    ['ghcr.io/org/team/name:1', 'ghcr.io', 'org/team/name', '1', undefined],
    ['localhost/name', 'localhost', 'name', 'latest', undefined],
    ['127.0.0.1:5000/name', '127.0.0.1:5000', 'name', 'latest', undefined],
    ['Example.org:443/name:t', 'example.org:443', 'name', 't', undefined],
    [`name@${digest}`, hub, 'library/name', 'latest', digest],
    [`quay.io/org/name:v1@${digest}`, 'quay.io', 'org/name', 'v1', digest],
  ])('leads where docker pull would look: %s', (written, registry, repository, tag, of) => {
    expect(parseImageName(written)).toEqual({ written, registry, repository, tag, digest: of });
  });

  test.each(['', 'UPPER', 'a b', '../x', 'http://x/y', `x@sha256:${'a'.repeat(63)}`])('is refused: %j', (written) => {
    expect(() => parseImageName(written)).toThrow(expect.objectContaining({ code: 'IMAGE_INVALID' }));
  });
});
