import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type SystemCall, systemCalls } from '../../seccomp/system-calls.ts';
import { assemble } from './bpf.ts';
import { allow, jobFilter, killProcess, type Machine, refuse, unknownCall, unknownFamily } from './job-filter.ts';

const arch = { x64: 0xc000003e, arm64: 0xc00000b7 };

/** Runs the bytes as the kernel would (linux: net/core/filter.c), over a `struct seccomp_data`. */
function run(program: Buffer, call: { arch: number; number: number; args?: readonly number[] }): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call.number, 0);
  data.writeUInt32LE(call.arch, 4);
  for (const [index, value] of (call.args ?? []).entries()) data.writeUInt32LE(value >>> 0, 16 + 8 * index);
  let accumulator = 0;
  for (let at = 0; at < program.length; at += 8) {
    const value = program.readUInt32LE(at + 4);
    const jump = (holds: boolean) => 8 * program.readUInt8(at + (holds ? 2 : 3));
    const code = program.readUInt16LE(at);
    if (code === 0x20) accumulator = data.readUInt32LE(value);
    else if (code === 0x15) at += jump(accumulator === value);
    else if (code === 0x35) at += jump(accumulator >= value);
    else if (code === 0x45) at += jump((accumulator & value) !== 0);
    else if (code === 0x06) return value;
    else throw new Error(`unknown instruction ${code}`);
  }
  throw new Error('the program ran off its end');
}

describe.each(['x64', 'arm64'] as const)('filter of a job on %s', (machine: Machine) => {
  const program = assemble(jobFilter(machine));
  const judge = (call: SystemCall, ...args: number[]) => {
    const numbers: { x64: number; arm64?: number } = systemCalls[call];
    const number = numbers[machine];
    return number === undefined ? undefined : run(program, { arch: arch[machine], number, args });
  };

  test('fits into what the kernel takes', () => {
    expect(program.length / 8).toBeLessThanOrEqual(4096);
  });

  test('ends every program of another instruction set', () => {
    expect(run(program, { arch: 0x40000003, number: 1 })).toBe(killProcess);
    if (machine === 'x64') {
      expect(run(program, { arch: arch.x64, number: 0x40000000 + 272 })).toBe(killProcess);
    }
  });

  test('refuses new namespaces by every door', () => {
    expect(judge('unshare', 0x10000000)).toBe(refuse);
    expect(judge('setns')).toBe(refuse);
    expect(judge('clone3')).toBe(unknownCall);
    for (const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000]) {
      expect(judge('clone', flag | 17)).toBe(refuse);
    }
    expect(judge('clone', 0x003d0f00)).toBe(allow);
    expect(judge('clone', 17)).toBe(allow);
  });

  test('refuses mounts, keys, kernel modules and tracing', () => {
    for (const call of ['mount', 'fsopen', 'keyctl', 'bpf', 'ptrace', 'finit_module', 'open_by_handle_at'] as const) {
      expect(judge(call)).toBe(refuse);
    }
    expect(judge('io_uring_setup')).toBe(unknownCall);
  });

  test('refuses files that would run as their owner', () => {
    expect(judge('fchmod', 3, 0o4755)).toBe(refuse);
    expect(judge('fchmodat', 3, 0, 0o2755)).toBe(refuse);
    expect(judge('fchmodat', 3, 0, 0o1777)).toBe(allow);
    expect(judge('mknodat', 3, 0, 0o104755)).toBe(refuse);
    expect(judge('openat', 3, 0, 0x40, 0o4755)).toBe(refuse);
    expect(judge('openat', 3, 0, 0x40, 0o755)).toBe(allow);
    // Without O_CREAT the fourth argument is whatever was in the register.
    expect(judge('openat', 3, 0, 0, 0o4755)).toBe(allow);
    expect(judge('openat2')).toBe(unknownCall);
    expect(judge('fchmodat2')).toBe(unknownCall);
    expect([refuse, undefined]).toContain(judge('chmod', 0, 0o4755));
    expect([refuse, undefined]).toContain(judge('open', 0, 0x41, 0o6755));
    expect([refuse, undefined]).toContain(judge('creat', 0, 0o4755));
  });

  test('allows local and internet sockets alone', () => {
    for (const family of [1, 2, 10, 16]) expect(judge('socket', family)).toBe(allow);
    for (const family of [0, 15, 17, 38, 40]) expect(judge('socket', family)).toBe(unknownFamily);
  });

  test('refuses typing into a shared terminal', () => {
    expect(judge('ioctl', 0, 0x5412)).toBe(refuse);
    expect(judge('ioctl', 0, 0x5413)).toBe(allow);
  });

  test('allows every call that it does not name, whatever its arguments', () => {
    const named = new Set(
      Object.values(systemCalls).map((numbers: { x64: number; arm64?: number }) => numbers[machine]),
    );
    const word = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 600 }), fc.array(word, { minLength: 6, maxLength: 6 }), (number, args) => {
        fc.pre(!named.has(number));
        expect(run(program, { arch: arch[machine], number, args })).toBe(allow);
      }),
    );
  });
});
