import type { Arithmetic } from './layout.ts';

const GOLDEN = 0x9e3779b1;
const LAYER = 0x85ebca6b;

const dot4Source = /* wgsl */ `
alias Sum = i32;
alias Sums = vec4i;

fn bits(sum: Sum) -> u32 { return bitcast<u32>(sum); }
`;

const f32Source = /* wgsl */ `
// Integers up to 2²⁴ are exact in binary32, and no sum of any subset leaves ±2²¹: every order gives the same bits.
alias Sum = f32;
alias Sums = vec4f;

fn bits(sum: Sum) -> u32 { return bitcast<u32>(i32(sum)); }

fn unpacked(word: u32) -> vec4f {
  let w = bitcast<i32>(word);
  return vec4f(
    f32(extractBits(w, 0u, 8u)), f32(extractBits(w, 8u, 8u)), f32(extractBits(w, 16u, 8u)), f32(extractBits(w, 24u, 8u)),
  );
}
`;

/**
 * Types of sums, and how sums become a value (docs/proof.md §6): `tweak`, then ⊕ the sum's `bits` times `factorOf` for
 * each gate, then `valueByte`.
 */
export function arithmeticSource(arithmetic: Arithmetic): string {
  return /* wgsl */ `
${arithmetic === 'dot4' ? dot4Source : f32Source}
fn tweak(key: u32, layer: u32, output: u32) -> u32 {
  return key ^ (layer * ${LAYER}u) ^ (output * ${GOLDEN}u);
}

// The value, as int8 in the lowest byte. It is the code less 8.
fn valueByte(joined: u32) -> u32 {
  var z = joined;
  z ^= z >> 16u;
  z *= 0x7feb352du;
  z ^= z >> 15u;
  z *= 0x846ca68bu;
  return ((z >> 28u) + 0xf8u) & 0xffu;
}
`;
}

/** What a gate's sum is multiplied with, as a WGSL literal. */
export function factorOf(gate: number): string {
  return `${Math.imul(2 * gate + 1, GOLDEN) >>> 0}u`;
}
