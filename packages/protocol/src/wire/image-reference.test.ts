import { describe, expect, test } from 'vitest';
import { imageReferenceSchema } from './image-reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('the name of an image', () => {
  test.each([
    'python',
    'python:3.12-slim',
    'library/python',
    'ghcr.io/org/name:tag',
    'localhost:5000/a/b_c/d__e/f-g.h',
    '127.0.0.1:5000/x:Tag_1.0-rc',
    `name@${digest}`,
    `Registry.Example/name:1@${digest}`,
  ])('is read: %s', (text) => {
    expect(imageReferenceSchema.safeParse(text).success).toBe(true);
  });

  test.each([
    '',
    'Python',
    'docker:python:3',
    'https://ghcr.io/org/name',
    'a//b',
    'a/../b',
    '-a',
    'a:',
    'a b',
    'a\n',
    'a@sha256:abc',
    `a@md5:${'a'.repeat(32)}`,
    `${'a/'.repeat(300)}a`,
  ])('is refused: %j', (text) => {
    expect(imageReferenceSchema.safeParse(text).success).toBe(false);
  });

  test('is judged at once, however long hostile dashes are', () => {
    expect(imageReferenceSchema.safeParse(`a${'-'.repeat(500)}!`).success).toBe(false);
  });
});
