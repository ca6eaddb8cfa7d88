import { CHUNK_VALUES } from '../../../spec/digests.ts';
import { hashSource, keccakSource } from './keccak.wgsl.ts';
import { GROUP_SIZE, parametersSource, type Shape } from './layout.ts';

/** Chunks of a state. */
export function chunksOf({ width }: Shape): number {
  return width / CHUNK_VALUES;
}

/** Digests of the chunks of `count / chunks` states from `first` on (docs/proof.md §7), packed on the way. */
export function chunkSource(): string {
  return /* wgsl */ `
${keccakSource}
${hashSource(4)}
${parametersSource('count', 'first')}
@group(1) @binding(0) var<storage, read> state: array<vec4u>;
@group(1) @binding(1) var<storage, read_write> chunks: array<Digest>;

fn codes(values: vec4u) -> vec4u {
  return (values ^ vec4u(0x08080808u)) & vec4u(0x0f0f0f0fu);
}

// Sixty-four values from \`at\` on, packed: value i in the low, value i + 32 in the high half of byte i.
fn packed(at: u32) -> Digest {
  return Digest(
    codes(state[at]) | (codes(state[at + 2u]) << vec4u(4u)),
    codes(state[at + 1u]) | (codes(state[at + 3u]) << vec4u(4u)),
  );
}

@compute @workgroup_size(${GROUP_SIZE})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = (p.firstGroup + group.x) * ${GROUP_SIZE}u + local;
  if (index >= p.count) { return; }
  let at = (p.first + index) * ${CHUNK_VALUES / 16}u;
  chunks[p.first + index] = hash4(packed(at), packed(at + 4u), packed(at + 8u), packed(at + 12u));
}
`;
}

/** Digests of `count` states from the digests of their chunks; state `first + i` becomes digest `target + i`. */
export function stateDigestSource(shape: Shape): string {
  const chunks = chunksOf(shape);
  const parts = Array.from({ length: chunks }, (_, chunk) => `chunks[at + ${chunk}u]`).join(', ');
  return /* wgsl */ `
${keccakSource}
${hashSource(chunks)}
${parametersSource('count', 'first', 'targetFirst')}
@group(1) @binding(0) var<storage, read> chunks: array<Digest>;
@group(1) @binding(1) var<storage, read_write> digests: array<Digest>;

@compute @workgroup_size(${GROUP_SIZE})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = (p.firstGroup + group.x) * ${GROUP_SIZE}u + local;
  if (index >= p.count) { return; }
  let at = (p.first + index) * ${chunks}u;
  digests[p.targetFirst + index] = hash${chunks}(${parts});
}
`;
}
