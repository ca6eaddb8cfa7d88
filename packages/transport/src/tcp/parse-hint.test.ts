import { expect, test } from 'vitest';
import { formatHint, parseHint } from './parse-hint.ts';

test.each([
  ['tcp://127.0.0.1:1', { host: '127.0.0.1', port: 1 }],
  ['tcp://[::1]:65535', { host: '::1', port: 65_535 }],
  ['tcp://gpu-1.example.org:7000', { host: 'gpu-1.example.org', port: 7000 }],
])('reads %s and writes it back', (hint, endpoint) => {
  expect(parseHint(hint)).toEqual(endpoint);
  expect(formatHint(endpoint)).toBe(hint);
});

test.each([
  '',
  'tcp://127.0.0.1',
  'tcp://127.0.0.1:0',
  'tcp://127.0.0.1:65536',
  'tcp://:80',
  'tcp://a b:80',
  'tcp://user@host:80',
  'tcp://host:80/path',
  'udp://127.0.0.1:80',
  `tcp://${'a'.repeat(300)}:80`,
])('does not read %j', (hint) => {
  expect(parseHint(hint)).toBeUndefined();
});
