import {
  absentCalls,
  createFlags,
  namespaceFlags,
  refuseCreateModes,
  refusedCalls,
  refuseModes,
  setIdBits,
  socketFamilies,
  terminalInjections,
} from '../../seccomp/job-rules.ts';
import { type SystemCall, systemCalls } from '../../seccomp/system-calls.ts';
import {
  archOffset,
  argumentOffset,
  give,
  type Instruction,
  ifEqualSkip,
  load,
  systemCallOffset,
  unlessAnyBitSkip,
  unlessAtLeastSkip,
  unlessEqualSkip,
} from './bpf.ts';

export type Machine = 'x64' | 'arm64';

/** linux/audit.h */
const auditArch: Readonly<Record<Machine, number>> = { x64: 0xc000003e, arm64: 0xc00000b7 };
/** Calls of the x32 ABI have this bit set and would pass every comparison of numbers. */
const x32Bit = 0x40000000;

export const allow = 0x7fff0000;
export const killProcess = 0x80000000;
const failWith = (errno: number) => 0x00050000 | errno;
const [EPERM, ENOSYS, EAFNOSUPPORT] = [1, 38, 97];
export const refuse = failWith(EPERM);
export const unknownCall = failWith(ENOSYS);
export const unknownFamily = failWith(EAFNOSUPPORT);

/**
 * The filter of a job: everything is allowed but what is named here. It is no sandbox by itself; it takes away parts of
 * the kernel in which the namespaces could be left or a bug be reached.
 */
export function jobFilter(machine: Machine): readonly Instruction[] {
  const numberOf = (call: SystemCall): number | undefined => {
    const numbers: { readonly x64: number; readonly arm64?: number } = systemCalls[call];
    return numbers[machine];
  };
  const when = (call: SystemCall, block: readonly Instruction[]): readonly Instruction[] => {
    const number = numberOf(call);
    return number === undefined ? [] : [unlessEqualSkip(number, block.length), ...block];
  };
  const verdict = [give(refuse), give(allow)];
  return [
    [load(archOffset), ifEqualSkip(auditArch[machine], 1), give(killProcess), load(systemCallOffset)],
    machine === 'x64' ? [unlessAtLeastSkip(x32Bit, 1), give(killProcess)] : [],
    refusedCalls.flatMap((call) => when(call, [give(refuse)])),
    absentCalls.flatMap((call) => when(call, [give(unknownCall)])),
    when('clone', [load(argumentOffset(0)), unlessAnyBitSkip(namespaceFlags, 1), ...verdict]),
    refuseModes.flatMap(([call, mode]) =>
      when(call, [load(argumentOffset(mode)), unlessAnyBitSkip(setIdBits, 1), ...verdict]),
    ),
    refuseCreateModes.flatMap(([call, flags]) =>
      when(call, [
        load(argumentOffset(flags)),
        unlessAnyBitSkip(createFlags, 3),
        load(argumentOffset(flags + 1)),
        unlessAnyBitSkip(setIdBits, 1),
        ...verdict,
      ]),
    ),
    when('ioctl', [
      load(argumentOffset(1)),
      ...terminalInjections.flatMap((request) => [unlessEqualSkip(request, 1), give(refuse)]),
      give(allow),
    ]),
    when('socket', [
      load(argumentOffset(0)),
      ...socketFamilies.flatMap((family) => [unlessEqualSkip(family, 1), give(allow)]),
      give(unknownFamily),
    ]),
    [give(allow)],
  ].flat();
}
