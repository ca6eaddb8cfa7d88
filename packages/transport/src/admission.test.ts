import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Admission, type Admitted } from './admission.ts';

const roomy = { maxConnections: 100, maxHandshakes: 100, maxConnectionsPerAddress: 100 };

test.each([
  ['the same IPv4 address', '10.0.0.1', '10.0.0.1'],
  ['an IPv4 address and its IPv6 form', '10.0.0.1', '::ffff:10.0.0.1'],
  ['two addresses of one IPv6 network', '2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff'],
  ['a network written short', '2001:db8::1', '2001:db8:0:0:1::'],
  ['two local addresses with a zone', 'fe80::1%eth0', 'fe80::2%eth0'],
])('%s share a limit', (_name, first, second) => {
  const admission = new Admission({ ...roomy, maxConnectionsPerAddress: 1 });
  expect(admission.admit(first)).toBeDefined();
  expect(admission.admit(second)).toBeUndefined();
});

test.each([
  ['two IPv4 addresses', '10.0.0.1', '10.0.0.2'],
  ['two IPv6 networks', '2001:db8:1:2::1', '2001:db8:1:3::1'],
])('%s do not share a limit', (_name, first, second) => {
  const admission = new Admission({ ...roomy, maxConnectionsPerAddress: 1 });
  expect(admission.admit(first)).toBeDefined();
  expect(admission.admit(second)).toBeDefined();
});

test('a proven key makes room for another handshake', () => {
  const admission = new Admission({ ...roomy, maxHandshakes: 1 });
  const first = admission.admit('10.0.0.1');
  expect(admission.admit('10.0.0.2')).toBeUndefined();
  first?.handshakeDone();
  first?.handshakeDone();
  expect(admission.admit('10.0.0.2')).toBeDefined();
  expect(admission.admit('10.0.0.3')).toBeUndefined();
});

test('one address cannot take up all handshakes: the others get in', () => {
  const admission = new Admission({ ...roomy, maxHandshakes: 8 });
  const admitted = Array.from({ length: 100 }, () => admission.admit('10.0.0.1')).filter((each) => each !== undefined);
  expect(admitted).toHaveLength(2);
  expect(admission.admit('10.0.0.2')).toBeDefined();
  admitted[0]?.handshakeDone();
  expect(admission.admit('10.0.0.1')).toBeDefined();
  expect(admission.admit('10.0.0.1')).toBeUndefined();
});

test('in any order of arrivals and departures no limit is passed and no room is lost', () => {
  const limits = { maxConnections: 8, maxHandshakes: 5, maxConnectionsPerAddress: 3 };
  const step = fc.record({ act: fc.constantFrom('admit', 'prove', 'release'), pick: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const admission = new Admission(limits);
      const open: { readonly admitted: Admitted; readonly address: string; proven: boolean }[] = [];
      for (const { act, pick } of steps) {
        const index = open.length === 0 ? 0 : pick % open.length;
        if (act === 'admit') {
          const address = `10.0.0.${pick % 4}`;
          const isFull =
            open.length >= limits.maxConnections ||
            open.filter((each) => !each.proven).length >= limits.maxHandshakes ||
            open.filter((each) => !each.proven && each.address === address).length >= 2 ||
            open.filter((each) => each.address === address).length >= limits.maxConnectionsPerAddress;
          const admitted = admission.admit(address);
          expect(admitted === undefined).toBe(isFull);
          if (admitted !== undefined) open.push({ admitted, address, proven: false });
        } else if (act === 'prove') {
          const each = open[index];
          each?.admitted.handshakeDone();
          if (each !== undefined) each.proven = true;
        } else open.splice(index, 1)[0]?.admitted.release();
      }
    }),
  );
});
