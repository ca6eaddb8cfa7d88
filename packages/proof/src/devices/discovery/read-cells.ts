import { cell } from './native-values.ts';

/** Success, for CUDA and for ROCm SMI alike. */
const SUCCESS = 0;

/** Asks C functions that write their answer to memory and return a code. */
export interface CellReader {
  /**
   * @param bytes of the answer
   * @param call writes it, and gives the code
   * @param decode undefined for what makes no sense
   * @returns undefined if there is no answer, or none that makes sense; `gaps` then says why
   */
  readonly read: <Value>(
    what: string,
    bytes: number,
    call: (buffer: Uint8Array) => Promise<number>,
    decode: (buffer: Uint8Array) => Value | undefined,
  ) => Promise<Value | undefined>;
  /** What was asked and not told, with the reason. */
  readonly gaps: readonly string[];
}

export function createCellReader(): CellReader {
  const gaps: string[] = [];
  return {
    gaps,
    read: async (what, bytes, call, decode) => {
      const buffer = cell(bytes);
      const code = await call(buffer);
      const value = code === SUCCESS ? decode(buffer) : undefined;
      if (value === undefined) gaps.push(`${what}: ${code === SUCCESS ? 'rubbish' : `returned ${code}`}`);
      return value;
    },
  };
}
