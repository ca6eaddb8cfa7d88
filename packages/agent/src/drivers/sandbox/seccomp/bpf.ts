/**
 * Classic BPF as seccomp takes it (linux/filter.h, linux/bpf_common.h, seccomp(2)): instructions of 8 bytes that look at
 * `struct seccomp_data { int nr; u32 arch; u64 ip; u64 args[6]; }` and return what to do with the system call.
 */
export interface Instruction {
  readonly code: number;
  /** Instructions to skip when the condition holds, and when not. */
  readonly whenTrue: number;
  readonly whenFalse: number;
  readonly value: number;
}

const loadWord = 0x20;
const jumpIfEqual = 0x15;
const jumpIfAtLeast = 0x35;
const jumpIfAnyBit = 0x45;
const returnValue = 0x06;

export const systemCallOffset = 0;
export const archOffset = 4;

/** Lower half of an argument: the kernel takes flags, modes and socket families from there. Little-endian machines only. */
export function argumentOffset(index: number): number {
  return 16 + 8 * index;
}

export const load = (offset: number): Instruction => plain(loadWord, offset);
export const give = (action: number): Instruction => plain(returnValue, action);
/** Runs the next instruction if the value equals, else skips `skip` of them. */
export const unlessEqualSkip = (value: number, skip: number): Instruction => jump(jumpIfEqual, value, 0, skip);
export const ifEqualSkip = (value: number, skip: number): Instruction => jump(jumpIfEqual, value, skip, 0);
export const unlessAtLeastSkip = (value: number, skip: number): Instruction => jump(jumpIfAtLeast, value, 0, skip);
export const unlessAnyBitSkip = (bits: number, skip: number): Instruction => jump(jumpIfAnyBit, bits, 0, skip);

function plain(code: number, value: number): Instruction {
  return { code, whenTrue: 0, whenFalse: 0, value };
}

const maxSkip = 255;

function jump(code: number, value: number, whenTrue: number, whenFalse: number): Instruction {
  if (Math.max(whenTrue, whenFalse) > maxSkip) throw new RangeError('a jump of BPF skips 255 instructions at most');
  return { code, whenTrue, whenFalse, value };
}

const instructionBytes = 8;

export function assemble(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(program.length * instructionBytes);
  for (const [index, { code, whenTrue, whenFalse, value }] of program.entries()) {
    const at = index * instructionBytes;
    bytes.writeUInt16LE(code, at);
    bytes.writeUInt8(whenTrue, at + 2);
    bytes.writeUInt8(whenFalse, at + 3);
    bytes.writeUInt32LE(value, at + 4);
  }
  return bytes;
}
