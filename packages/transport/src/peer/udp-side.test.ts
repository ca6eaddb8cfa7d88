import { describe, expect, test } from 'vitest';
import { isGlobalAddress } from './udp-side.ts';

describe('an address that can be reached from anywhere', () => {
  test.each([
    '8.8.8.8',
    '1.0.0.1',
    '100.63.255.255',
    '100.128.0.0',
    '172.15.0.1',
    '172.32.0.1',
    '169.253.1.1',
    '192.167.0.1',
    '223.255.255.255',
    '2001:4860:4860::8888',
    '2a00::1',
    '3fff::1',
  ])('%s is one', (host) => {
    expect(isGlobalAddress(host)).toBe(true);
  });

  test.each([
    ['this host', '0.0.0.0'],
    ['loopback', '127.0.0.1'],
    ['loopback', '127.255.255.254'],
    ['private', '10.0.0.1'],
    ['private', '172.16.0.1'],
    ['private', '172.31.255.255'],
    ['private', '192.168.0.1'],
    ['shared by many lines', '100.64.0.1'],
    ['shared by many lines', '100.127.255.255'],
    ['of one link', '169.254.1.1'],
    ['of many', '224.0.0.1'],
    ['of all', '255.255.255.255'],
    ['loopback', '::1'],
    ['this host', '::'],
    ['of one link', 'fe80::1'],
    ['private', 'fd00::1'],
    ['of many', 'ff02::1'],
    ['an IPv4 address in another dress', '::ffff:8.8.8.8'],
    ['not given out', '2::1'],
    ['no address', 'example.org'],
    ['nothing', ''],
  ])('none is %s: %s', (_what, host) => {
    expect(isGlobalAddress(host)).toBe(false);
  });
});
