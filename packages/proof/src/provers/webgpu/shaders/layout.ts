/**
 * How weights lie in a layer's memory. A *column* is one gate of one output, output × gates + gate, so that the gates of
 * an output are neighbours. Columns go in stripes of 128; within a stripe come the first 16 weights of each of its
 * columns, then the next 16 of each, and so on: neighbouring threads that hold a column each read neighbouring bytes.
 * Sixteen weights are one `vec4u`, the first in the lowest byte of its first word.
 */
export const STRIPE = 128;

/** Rows and columns of a tile, which one workgroup of a compute step works out. */
export const TILE_ROWS = 64;
export const TILE_COLUMNS = 256;

/** Invocations of a workgroup, where a shader does not say otherwise. 64 suits every vendor. */
export const GROUP_SIZE = 64;

/** How a shader multiplies: four int8 products in one instruction, or binary32, which is exact too (docs/proof.md §6). */
export type Arithmetic = 'dot4' | 'f32';

/** What the shaders of a parameter set are made for. */
export interface Shape {
  /** Values in a row, a multiple of 256. */
  readonly width: number;
  /** 1, 2, 4, 8 or 16. */
  readonly gates: number;
  readonly links: number;
  readonly lanes: number;
  readonly laneRows: number;
  readonly arithmetic: Arithmetic;
  /** Layers that one buffer of weights holds: a divisor of the lanes. */
  readonly bufferLayers: number;
}

/** Sixteens of values in a row: the `vec4u` that a row of a state, or a column of weights, takes. */
export function sixteens({ width }: Pick<Shape, 'width'>): number {
  return width / 16;
}

/** What every shader begins with: its parameters, written anew for each dispatch. */
export function parametersSource(...fields: readonly string[]): string {
  const members = ['firstGroup', ...fields].map((field) => (field.includes(':') ? field : `${field}: u32`));
  return /* wgsl */ `
struct Parameters { ${members.join(', ')} }
@group(0) @binding(0) var<uniform> p: Parameters;
`;
}
