import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { systemCalls } from '../seccomp/system-calls.ts';
import { type SeccompArgument, type SeccompRule, seccompProfile } from './seccomp-profile.ts';

const profile = seccompProfile();
const everything = 2n ** 64n - 1n;

/** As libseccomp compares (seccomp_rule_add(3)): all 64 bits of an argument. */
function holds({ value, valueTwo, op }: SeccompArgument, argument: bigint): boolean {
  if (op === 'SCMP_CMP_EQ') return argument === BigInt(value);
  if (op === 'SCMP_CMP_GT') return argument > BigInt(value);
  return (argument & BigInt(value)) === BigInt(valueTwo);
}

const applies = (rule: SeccompRule, call: string, args: readonly bigint[]) =>
  rule.names.includes(call) && rule.args.every((one) => holds(one, args[one.index] ?? 0n));
/** Errno that the call fails with; nothing where it is allowed. */
const judge = (call: string, ...args: readonly (number | bigint)[]) =>
  profile.syscalls.find((rule) => applies(rule, call, args.map(BigInt)))?.errnoRet;

describe('seccomp profile', () => {
  test('names no call that is not known, and no argument twice in a rule', () => {
    for (const rule of profile.syscalls) {
      for (const name of rule.names) expect(Object.hasOwn(systemCalls, name)).toBe(true);
      expect(new Set(rule.args.map(({ index }) => index)).size).toBe(rule.args.length);
    }
  });

  test('refuses new namespaces by every door, and lets processes and threads be made', () => {
    expect([judge('unshare', 0x10000000), judge('setns'), judge('clone3')]).toEqual([1, 1, 38]);
    for (const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]) {
      expect(judge('clone', flag | 17)).toBe(1);
    }
    expect(judge('clone', 0x003d0f00)).toBeUndefined();
    expect(judge('clone', 17)).toBeUndefined();
  });

  test('refuses files that would run as their owner', () => {
    expect(judge('fchmod', 3, 0o4755)).toBe(1);
    expect(judge('fchmodat', 3, 0, 0o2755)).toBe(1);
    expect(judge('fchmodat', 3, 0, 0o1777)).toBeUndefined();
    expect(judge('openat', 3, 0, 0x40, 0o4755)).toBe(1);
    expect(judge('openat', 3, 0, 0x400000, 0o2755)).toBe(1);
    expect(judge('openat', 3, 0, 0x40, 0o755)).toBeUndefined();
    // Without O_CREAT the fourth argument is whatever was in the register.
    expect(judge('openat', 3, 0, 0, 0o4755)).toBeUndefined();
  });

  test('allows local and internet sockets alone, whatever stands in the half that the kernel does not read', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), fc.bigInt({ min: 0n, max: 2n ** 32n - 1n }), (family, upper) => {
        const allowed = [1, 2, 10, 16].includes(family) && upper === 0n;
        expect(judge('socket', (upper << 32n) | BigInt(family))).toBe(allowed ? undefined : 97);
      }),
    );
  });

  test('refuses typing into a shared terminal, whatever stands in the half that the kernel does not read', () => {
    for (const upper of [0n, 1n, 2n ** 32n - 1n]) {
      expect(judge('ioctl', 0, (upper << 32n) | 0x5412n)).toBe(1);
      expect(judge('ioctl', 0, (upper << 32n) | 0x5413n)).toBeUndefined();
    }
  });

  test('allows what it does not name', () => {
    for (const call of ['read', 'futex', 'execve', 'kill', 'clock_gettime']) {
      expect(judge(call, everything, everything, everything)).toBeUndefined();
    }
  });
});
