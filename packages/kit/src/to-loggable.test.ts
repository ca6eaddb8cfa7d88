import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSecretName, MASK, toLoggable } from './to-loggable.ts';

test.each([
  'secretKey',
  'clientSecret',
  'PRIVATE_KEY',
  'privateKey',
  'password',
  'keySeed',
  'seed',
  'mnemonic',
  'apiKey',
  'Authorization',
  'accessToken',
  'set-cookie',
])('%s names a secret', (name) => {
  expect(isSecretName(name)).toBe(true);
});

test.each(['token', 'key', 'publicKey', 'agentKey', 'seeds', 'name', 'keyboard'])('%s names none', (name) => {
  expect(isSecretName(name)).toBe(false);
});

test('a secret at any depth, in lists, maps and errors too, is masked', () => {
  const error = Object.assign(new Error('failed'), { config: { password: 'hunter2' } });
  const text = JSON.stringify(
    toLoggable({
      a: { b: [{ secretKey: 'hunter2' }] },
      error: new Error('outer', { cause: error }),
      map: new Map([['x', { apiKey: 'hunter2' }]]),
      bytes: new TextEncoder().encode('hunter2'),
    }),
  );
  expect(text).not.toContain('hunter2');
  expect(text.split(MASK)).toHaveLength(4);
});

test('errors keep their name, code and causes', () => {
  const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
  expect(toLoggable({ error: new TypeError('no', { cause }) })).toMatchObject({
    error: { name: 'TypeError', message: 'no', cause: { message: 'refused', code: 'ECONNREFUSED' } },
  });
});

test('what JSON cannot carry or would blow up becomes text', () => {
  const loop: Record<string, unknown> = {
    big: 2n ** 70n,
    act: () => 1,
    bytes: new Uint8Array(3),
    long: 'x'.repeat(1e6),
  };
  loop['self'] = loop;
  const written = toLoggable(loop);
  expect(written).toMatchObject({ big: '1180591620717411303424', act: '[function]', bytes: '[3 bytes]' });
  expect(JSON.stringify(written).length).toBeLessThan(100_000);
});

test('anything at all can be written', () => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withTypedArray: true,
  });
  fc.assert(fc.property(anything, (value) => typeof JSON.stringify(toLoggable({ value })) === 'string'));
});
