import { hashSource, keccakSource } from './keccak.wgsl.ts';
import { GROUP_SIZE, parametersSource, type Shape, sixteens } from './layout.ts';

/** Hashes that make one row's input and key. */
export function hashesOfInput({ width }: Shape): number {
  return width / 64 + 1;
}

/**
 * Inputs and keys of rows (docs/proof.md §5). A state is kept as int8, sixteen values in a `vec4u`, a row after the
 * other; only what is hashed is packed.
 */
export function inputSource(shape: Shape): string {
  const hashes = hashesOfInput(shape);
  return /* wgsl */ `
${keccakSource}
${hashSource(3)}
${parametersSource('count')}
// Of each row: which seed, and its number in that seed's pass.
@group(1) @binding(0) var<storage, read> rows: array<vec2u>;
@group(1) @binding(1) var<storage, read> seeds: array<Digest>;
@group(1) @binding(2) var<storage, read_write> state: array<vec4u>;
@group(1) @binding(3) var<storage, read_write> keys: array<u32>;

// Codes 0 … 15, one in each byte, as values: the code less 8, in two's complement.
fn valuesOf(codes: vec4u) -> vec4u {
  let low = codes ^ vec4u(0x08080808u);
  return low | ((low & vec4u(0x08080808u)) * 30u);
}

@compute @workgroup_size(${GROUP_SIZE})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = (p.firstGroup + group.x) * ${GROUP_SIZE}u + local;
  if (index >= p.count) { return; }
  let row = index / ${hashes}u;
  let part = index % ${hashes}u;
  let digest = hash3(seeds[rows[row].x], word32(rows[row].y), word32(part));
  if (part == ${hashes - 1}u) {
    keys[row] = swapBytes(digest.a.x);
    return;
  }
  let nibble = vec4u(0x0f0f0f0fu);
  let first = row * ${sixteens(shape)}u + part * 4u;
  state[first] = valuesOf(digest.a & nibble);
  state[first + 1u] = valuesOf(digest.b & nibble);
  state[first + 2u] = valuesOf((digest.a >> vec4u(4u)) & nibble);
  state[first + 3u] = valuesOf((digest.b >> vec4u(4u)) & nibble);
}
`;
}
