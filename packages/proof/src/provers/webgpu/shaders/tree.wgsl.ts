import { hashSource, keccakSource } from './keccak.wgsl.ts';
import { GROUP_SIZE, parametersSource } from './layout.ts';

/**
 * Trees over the states of rows (docs/proof.md §7), grown leaf by leaf for all rows at once: of each level at most one
 * node waits for its sibling, so that a tree takes a digest for each level and not one for each state.
 */
const growingSource = /* wgsl */ `
${keccakSource}
${hashSource(2)}
@group(1) @binding(1) var<storage, read_write> waiting: array<Digest>;

const absent = Digest(vec4u(0u), vec4u(0u));
`;

/** Takes leaf number `leaf` of each of `rows` trees. */
export const growSource = /* wgsl */ `
${growingSource}
${parametersSource('rows', 'leaf')}
@group(1) @binding(0) var<storage, read> digests: array<Digest>;

@compute @workgroup_size(${GROUP_SIZE})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = (p.firstGroup + group.x) * ${GROUP_SIZE}u + local;
  if (row >= p.rows) { return; }
  var node = digests[row];
  var level = 0u;
  // A node is a right child on each level on which its number is odd.
  for (var number = p.leaf; (number & 1u) == 1u; number >>= 1u) {
    node = hash2(waiting[level * p.rows + row], node);
    level++;
  }
  waiting[level * p.rows + row] = node;
}
`;

/** Roots of trees of \`leaves\` leaves and depth \`depth\`. What is missing on the right is absent. */
export const rootSource = /* wgsl */ `
${growingSource}
${parametersSource('rows', 'leaves', 'depth')}
@group(1) @binding(0) var<storage, read_write> roots: array<Digest>;

@compute @workgroup_size(${GROUP_SIZE})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let row = (p.firstGroup + group.x) * ${GROUP_SIZE}u + local;
  if (row >= p.rows) { return; }
  var node = absent;
  var isAbsent = true;
  for (var level = 0u; level < p.depth; level++) {
    if (((p.leaves >> level) & 1u) == 1u) {
      node = hash2(waiting[level * p.rows + row], node);
      isAbsent = false;
    } else if (!isAbsent) {
      node = hash2(node, absent);
    }
  }
  if (isAbsent) { node = waiting[p.depth * p.rows + row]; }
  roots[row] = node;
}
`;

/** One level of trees whose leaves are all there: from \`nodes\` nodes of each of \`rows\` trees to half as many. */
export const levelSource = /* wgsl */ `
${keccakSource}
${hashSource(2)}
${parametersSource('rows', 'nodes')}
// Node i of tree r is at i · rows + r.
@group(1) @binding(0) var<storage, read> below: array<Digest>;
@group(1) @binding(1) var<storage, read_write> above: array<Digest>;

@compute @workgroup_size(${GROUP_SIZE})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let index = (p.firstGroup + group.x) * ${GROUP_SIZE}u + local;
  let node = index / p.rows;
  let row = index % p.rows;
  if (2u * node >= p.nodes) { return; }
  var right = Digest(vec4u(0u), vec4u(0u));
  if (2u * node + 1u < p.nodes) { right = below[(2u * node + 1u) * p.rows + row]; }
  above[index] = hash2(below[2u * node * p.rows + row], right);
}
`;
