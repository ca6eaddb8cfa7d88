import { describe, expect, test } from 'vitest';
import { isLocalAddress, openUrl } from './open-url.ts';
import { openSmallRegistry } from './small-registry.fixture.ts';

const signal = AbortSignal.timeout(30_000);
const open = (url: string, allowLocal: boolean) => openUrl(new URL(url), { headers: {}, signal, allowLocal });

describe('an address that a stranger names', () => {
  test.each([
    'https://127.0.0.1/v2/',
    'https://10.1.2.3/v2/',
    'https://192.168.0.1/',
    'https://169.254.169.254/latest/meta-data',
    'https://[::1]/',
    'https://[::ffff:10.0.0.1]/',
    'https://[fd00::1]/',
    'https://localhost/',
    'http://127.0.0.1/',
    'http://example.org/',
    'file:///etc/passwd',
  ])('is not asked if it leads into the network of the operator, or is not https: %s', async (url) => {
    await expect(open(url, false)).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
  });

  test('is asked by http at loopback alone, even where the operator allows its own network', async () => {
    await expect(open('http://192.0.2.1/', true)).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
  });

  test.each([
    ['8.8.8.8', false],
    ['2606:4700::1111', false],
    ['100.64.0.1', true],
    ['172.31.255.255', true],
    ['172.32.0.0', false],
    ['::', true],
    ['fe80::1', true],
    ['::ffff:127.0.0.1', true],
    ['255.255.255.255', true],
  ])('%s: local is %s', (address, local) => {
    expect(isLocalAddress(address)).toBe(local);
  });
});

describe('a redirect', () => {
  test('is followed, but what proves who asks does not go to another place', async () => {
    const from = await openSmallRegistry();
    const to = await openSmallRegistry();
    const seen: (string | undefined)[] = [];
    from.intercept = (_, response) => {
      response.writeHead(307, { location: `http://127.0.0.1:${to.port}/elsewhere` }).end();
      return true;
    };
    to.intercept = (request, response) => {
      seen.push(request.headers.authorization, request.headers.range);
      response.end('here');
      return true;
    };
    const headers = { authorization: 'Bearer secret', range: 'bytes=1-' };
    const answer = await openUrl(new URL(`http://127.0.0.1:${from.port}/`), { headers, signal, allowLocal: true });
    answer.resume();
    expect(answer.statusCode).toBe(200);
    expect(seen).toEqual([undefined, 'bytes=1-']);
    await Promise.all([from.close(), to.close()]);
  });

  test('in a circle comes to an end', async () => {
    const registry = await openSmallRegistry();
    registry.intercept = (_, response) => {
      response.writeHead(302, { location: '/again' }).end();
      return true;
    };
    await expect(open(`http://127.0.0.1:${registry.port}/`, true)).rejects.toMatchObject({ code: 'IMAGE_UNREACHABLE' });
    expect(registry.requests).toHaveLength(6);
    await registry.close();
  });
});
