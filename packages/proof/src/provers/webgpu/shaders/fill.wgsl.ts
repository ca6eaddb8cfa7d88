import { hashSource, keccakSource } from './keccak.wgsl.ts';
import { GROUP_SIZE, parametersSource, type Shape, STRIPE, sixteens } from './layout.ts';

/** Workgroups that fill a layer: one invocation for each 32 weights. */
export function fillGroups({ width, gates }: Shape): number {
  return (gates * width * width) / 32 / GROUP_SIZE;
}

/**
 * Derives a layer's weights (docs/proof.md §4) into its memory (`layout.ts`). Block numbers take more than 32 bits in
 * `production`, so that they are multiplied out in halves.
 */
export function fillSource(shape: Shape): string {
  const { width, gates, links } = shape;
  const blocks = width / 32;
  return /* wgsl */ `
${keccakSource}
${hashSource(1)}
${hashSource(2)}
${parametersSource('layer', 'unused0', 'unused1', 'session: Digest')}
@group(1) @binding(0) var<storage, read_write> weights: array<vec4u>;

// column · ${blocks} + block, as 64 bits. The column of the network is below 2³².
fn blockNumber(column: u32, block: u32) -> vec2u {
  let low = (column & 0xffffu) * ${blocks}u + block;
  let high = (column >> 16u) * ${blocks}u + (low >> 16u);
  return vec2u(high >> 16u, (high << 16u) | (low & 0xffffu));
}

@compute @workgroup_size(${GROUP_SIZE})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = (p.firstGroup + group.x) * ${GROUP_SIZE}u + local;
  let stripe = index / ${STRIPE * blocks}u;
  let block = (index / ${STRIPE}u) % ${blocks}u;
  let place = index % ${STRIPE}u;
  let column = stripe * ${STRIPE}u + place;
  let number = blockNumber((p.layer * ${gates}u + column % ${gates}u) * ${width}u + column / ${gates}u, block);

  var digest = hash2(p.session, word64(number.x, number.y));
  for (var link = 1u; link < ${links}u; link++) { digest = hash1(digest); }

  // A byte less 128 is, as int8, that byte with its highest bit flipped.
  let first = (stripe * ${sixteens(shape)}u + 2u * block) * ${STRIPE}u + place;
  weights[first] = digest.a ^ vec4u(0x80808080u);
  weights[first + ${STRIPE}u] = digest.b ^ vec4u(0x80808080u);
}
`;
}
