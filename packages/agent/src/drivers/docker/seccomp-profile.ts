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
} from '../seccomp/job-rules.ts';

/** A profile as Docker and Podman read it: one verdict, and rules each of which overrules it for some calls. */
export interface SeccompProfile {
  readonly defaultAction: 'SCMP_ACT_ALLOW';
  readonly archMap: readonly { readonly architecture: string; readonly subArchitectures: readonly string[] }[];
  readonly syscalls: readonly SeccompRule[];
}

export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: 'SCMP_ACT_ERRNO';
  readonly errnoRet: number;
  /** All of them have to hold; an argument may be named once only. */
  readonly args: readonly SeccompArgument[];
}

export interface SeccompArgument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo: number;
  readonly op: 'SCMP_CMP_EQ' | 'SCMP_CMP_GT' | 'SCMP_CMP_MASKED_EQ';
}

const [EPERM, ENOSYS, EAFNOSUPPORT] = [1, 38, 97];
/** The kernel takes 32 bits of an `ioctl` request or a socket's family; what a job writes above them must not hide it. */
const lowerHalf = 0xffffffff;

/**
 * The rules of the sandbox's filter as a profile. It allows what it does not name, unlike Docker's own, which goes by a list of
 * what is good; what Docker's refuses for want of a capability is refused here by the kernel, since no job has any.
 * No second instruction set is named, so that programs of another are ended.
 */
export function seccompProfile(): SeccompProfile {
  const rule = (names: readonly string[], errnoRet: number, args: readonly SeccompArgument[] = []): SeccompRule => ({
    ...{ names, action: 'SCMP_ACT_ERRNO', errnoRet, args },
  });
  return {
    defaultAction: 'SCMP_ACT_ALLOW',
    archMap: ['SCMP_ARCH_X86_64', 'SCMP_ARCH_AARCH64'].map((architecture) => ({ architecture, subArchitectures: [] })),
    syscalls: [
      rule(refusedCalls, EPERM),
      rule(absentCalls, ENOSYS),
      ...bitsOf(namespaceFlags).map((bit) => rule(['clone'], EPERM, [hasBit(0, bit)])),
      ...refuseModes.flatMap(([call, mode]) =>
        bitsOf(setIdBits).map((bit) => rule([call], EPERM, [hasBit(mode, bit)])),
      ),
      ...refuseCreateModes.flatMap(([call, flags]) =>
        bitsOf(createFlags).flatMap((flag) =>
          bitsOf(setIdBits).map((bit) => rule([call], EPERM, [hasBit(flags, flag), hasBit(flags + 1, bit)])),
        ),
      ),
      ...terminalInjections.map((request) =>
        rule(['ioctl'], EPERM, [{ index: 1, value: lowerHalf, valueTwo: request, op: 'SCMP_CMP_MASKED_EQ' }]),
      ),
      ...socketRules(rule),
    ],
  };
}

/** An allowed family cannot be named in a list of what is refused: every other one is, up to the last, and all above. */
function socketRules(
  rule: (names: readonly string[], errnoRet: number, args: readonly SeccompArgument[]) => SeccompRule,
): readonly SeccompRule[] {
  const last = Math.max(...socketFamilies);
  const others = Array.from({ length: last }, (_, family) => family).filter((one) => !socketFamilies.includes(one));
  const judge = (op: SeccompArgument['op'], value: number) =>
    rule(['socket'], EAFNOSUPPORT, [{ index: 0, value, valueTwo: 0, op }]);
  return [...others.map((family) => judge('SCMP_CMP_EQ', family)), judge('SCMP_CMP_GT', last)];
}

function hasBit(index: number, bit: number): SeccompArgument {
  return { index, value: bit, valueTwo: bit, op: 'SCMP_CMP_MASKED_EQ' };
}

function bitsOf(mask: number): readonly number[] {
  return Array.from({ length: 31 }, (_, index) => 2 ** index).filter((bit) => (mask & bit) !== 0);
}
