import { arithmeticSource, factorOf } from './arithmetic.wgsl.ts';
import { parametersSource, type Shape, STRIPE, sixteens } from './layout.ts';

/** Invocations of a workgroup: 64 times two columns of a stripe, by four parts of the row. */
const INVOCATIONS = 256;
const PARTS = 4;

/** Most bytes of the workgroup's memory that a piece of the states may take. */
const PIECE_BYTES = 8192;

/** Stripes of a layer; a step takes a workgroup for each stripe of each lane. */
export function stripesOf({ width, gates }: Shape): number {
  return (width * gates) / STRIPE;
}

/** Sixteens of values of the lane's rows that are kept at hand at a time. */
function pieceOf(shape: Shape): number {
  const bytes = shape.arithmetic === 'dot4' ? 16 : 64;
  let piece = sixteens(shape);
  while (piece * bytes * shape.laneRows > PIECE_BYTES && piece % (2 * PARTS) === 0) piece /= 2;
  return piece;
}

/** How a sixteen of a state is kept at hand, and multiplied with a sixteen of weights. */
function sixteenSource({ arithmetic }: Shape): string {
  if (arithmetic === 'dot4')
    return /* wgsl */ `
alias Sixteen = vec4u;
fn sixteenOf(packed: vec4u) -> Sixteen { return packed; }

fn product(w: Sixteen, s: Sixteen) -> Sum {
  return dot4I8Packed(w.x, s.x) + dot4I8Packed(w.y, s.y) + dot4I8Packed(w.z, s.z) + dot4I8Packed(w.w, s.w);
}
`;
  return /* wgsl */ `
struct Sixteen { a: vec4f, b: vec4f, c: vec4f, d: vec4f }
fn sixteenOf(packed: vec4u) -> Sixteen {
  return Sixteen(unpacked(packed.x), unpacked(packed.y), unpacked(packed.z), unpacked(packed.w));
}

fn product(w: Sixteen, s: Sixteen) -> Sum {
  return dot(w.a, s.a) + dot(w.b, s.b) + dot(w.c, s.c) + dot(w.d, s.d);
}
`;
}

/** Weights of the step's layers, in as many bindings as they are in buffers. */
function weightsSource({ lanes, bufferLayers, width, gates }: Shape): string {
  const buffers = Array.from({ length: lanes / bufferLayers }, (_, buffer) => buffer);
  const layerSixteens = (gates * width * width) / 16;
  const bindings = buffers.map(
    (buffer) => `@group(1) @binding(${2 + buffer}) var<storage, read> weights${buffer}: array<vec4u>;`,
  );
  const cases = buffers.map((buffer) =>
    buffer === buffers.length - 1
      ? `default: { return weights${buffer}[at]; }`
      : `case ${buffer}u: { return weights${buffer}[at]; }`,
  );
  return /* wgsl */ `
${bindings.join('\n')}
fn weightsAt(lane: u32, sixteen: u32) -> vec4u {
  let at = (lane % ${bufferLayers}u) * ${layerSixteens}u + sixteen;
  ${buffers.length === 1 ? 'return weights0[at];' : `switch (lane / ${bufferLayers}u) { ${cases.join(' ')} }`}
}
`;
}

/**
 * Each lane's few rows through one layer, all lanes at once: every byte of the weights is read once, and multiplied with
 * all rows of its lane. A workgroup has a stripe of columns, and with it all gates of its outputs.
 *
 * All states of a pass lie one after the other in \`states\`; \`source\` and \`destination\` say where, in words.
 */
export function bandwidthStepSource(shape: Shape): string {
  const { width, gates, laneRows, arithmetic } = shape;
  const depth = sixteens(shape);
  const piece = pieceOf(shape);
  const rows = Array.from({ length: laneRows }, (_, row) => row);
  const outputs = STRIPE / gates;
  const joined = Array.from(
    { length: gates },
    (_, gate) => `(bitcast<u32>(atomicLoad(&sums[first + ${gate}u])) * ${factorOf(gate)})`,
  );
  return /* wgsl */ `
${arithmeticSource(arithmetic)}
${sixteenSource(shape)}
${parametersSource('firstLayer', 'source', 'destination')}
@group(1) @binding(0) var<storage, read> keys: array<u32>;
@group(1) @binding(1) var<storage, read_write> states: array<u32>;
${weightsSource(shape)}

var<workgroup> atHand: array<Sixteen, ${laneRows * piece}>;
// Of each row, the sums of the stripe's columns. They begin at zero.
var<workgroup> sums: array<atomic<i32>, ${laneRows * STRIPE}>;
var<workgroup> words: array<atomic<u32>, ${(laneRows * outputs) / 4}>;

@compute @workgroup_size(${INVOCATIONS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let stripeIndex = p.firstGroup + group.x;
  let lane = stripeIndex / ${stripesOf(shape)}u;
  let stripe = stripeIndex % ${stripesOf(shape)}u;
  let firstRow = lane * ${laneRows}u;
  let column = local % 64u;
  let part = local / 64u;
  ${rows.map((row) => `var near${row} = Sum(); var far${row} = Sum();`).join(' ')}

  for (var piece = 0u; piece < ${depth}u; piece += ${piece}u) {
    for (var index = local; index < ${laneRows * piece}u; index += ${INVOCATIONS}u) {
      let row = firstRow + index / ${piece}u;
      let at = p.source + row * ${width / 4}u + (piece + index % ${piece}u) * 4u;
      atHand[index] = sixteenOf(vec4u(states[at], states[at + 1u], states[at + 2u], states[at + 3u]));
    }
    workgroupBarrier();
    for (var offset = part; offset < ${piece}u; offset += ${PARTS}u) {
      let at = (stripe * ${depth}u + piece + offset) * ${STRIPE}u + column;
      let near = sixteenOf(weightsAt(lane, at));
      let far = sixteenOf(weightsAt(lane, at + 64u));
      ${rows
        .map(
          (row) =>
            `let s${row} = atHand[${row * piece}u + offset]; near${row} += product(near, s${row}); far${row} += product(far, s${row});`,
        )
        .join('\n      ')}
    }
    workgroupBarrier();
  }

  ${rows
    .map(
      (row) =>
        `atomicAdd(&sums[${row * STRIPE}u + column], i32(near${row})); atomicAdd(&sums[${row * STRIPE + 64}u + column], i32(far${row}));`,
    )
    .join('\n  ')}
  workgroupBarrier();
  for (var index = local; index < ${laneRows * outputs}u; index += ${INVOCATIONS}u) {
    let row = index / ${outputs}u;
    let output = index % ${outputs}u;
    let first = row * ${STRIPE}u + output * ${gates}u;
    let z = tweak(keys[firstRow + row], p.firstLayer + lane, stripe * ${outputs}u + output);
    atomicOr(&words[index / 4u], valueByte(z ^ ${joined.join(' ^ ')}) << (8u * (index % 4u)));
  }
  workgroupBarrier();
  for (var index = local; index < ${(laneRows * outputs) / 4}u; index += ${INVOCATIONS}u) {
    let row = firstRow + index / ${outputs / 4}u;
    states[p.destination + row * ${width / 4}u + stripe * ${outputs / 4}u + index % ${outputs / 4}u] = atomicLoad(&words[index]);
  }
}
`;
}
