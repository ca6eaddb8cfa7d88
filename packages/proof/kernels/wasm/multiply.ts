// One step of some rows through some units of a layer. Spec: docs/proof.md §6.

import { firstOutput } from './fill';
import { rowsTogether } from './rows';

/** Most rows at a time. More would only leave the caches. */
const MOST_ROWS: u32 = 128;

const GOLDEN: u32 = 0x9e3779b1;
const LAYER: u32 = 0x85ebca6b;

/** The mixer's words of every row, before the last mixing: of a unit's first output, then of its second. */
const words = memory.data(2 * 4 * 128 + 16, 16);

/**
 * @param values rows as `unpackRows` leaves them, at most 128
 * @param keys of the rows, u32, and as many more as make a multiple of four
 * @param weights of the units, as `fillUnits` leaves them
 * @param to a byte for each unit of the first row, then of the second, and so on
 */
export function multiplyUnits(
  values: usize,
  keys: usize,
  rows: u32,
  width: u32,
  gates: u32,
  layer: u32,
  unit: u32,
  count: u32,
  weights: usize,
  to: usize,
): void {
  for (const end = unit + count; unit < end; unit++) {
    beginWords(keys, rows, layer, firstOutput(unit));
    for (let column: u32 = 0; column < 2 * gates; column += 2) {
      multiplyColumns(values, rows, width, gates, column, weights);
      weights += width << 1;
    }
    finishWords(rows, count, to++);
  }
}

function beginWords(keys: usize, rows: u32, layer: u32, output: u32): void {
  const first = i32x4.splat((layer * LAYER) ^ (output * GOLDEN));
  const second = i32x4.splat((layer * LAYER) ^ ((output + 32) * GOLDEN));
  for (let at: usize = 0; at < <usize>rows << 2; at += 16) {
    const key = v128.load(keys + at);
    v128.store(words + at, v128.xor(key, first));
    v128.store(words + at, v128.xor(key, second), 4 * MOST_ROWS);
  }
}

/** The codes of both outputs, as one byte for each row. */
function finishWords(rows: u32, stride: u32, to: usize): void {
  for (let row: u32 = 0; row < rows; row += 4) {
    const at = words + (<usize>row << 2);
    const codes = v128.or(mix(v128.load(at)), i32x4.shl(mix(v128.load(at, 4 * MOST_ROWS)), 4));
    store<u8>(to + row * stride, i32x4.extract_lane(codes, 0));
    if (row + 1 < rows) store<u8>(to + (row + 1) * stride, i32x4.extract_lane(codes, 1));
    if (row + 2 < rows) store<u8>(to + (row + 2) * stride, i32x4.extract_lane(codes, 2));
    if (row + 3 < rows) store<u8>(to + (row + 3) * stride, i32x4.extract_lane(codes, 3));
  }
}

// @ts-ignore: decorator
@inline
function mix(z: v128): v128 {
  z = v128.xor(z, i32x4.shr_u(z, 16));
  z = i32x4.mul(z, i32x4.splat(0x7feb352d));
  z = v128.xor(z, i32x4.shr_u(z, 15));
  z = i32x4.mul(z, i32x4.splat(0x846ca68b));
  return i32x4.shr_u(z, 28);
}

/** What a column's sums are multiplied by before they are mixed in. */
// @ts-ignore: decorator
@inline
function factorOf(column: u32, gates: u32): v128 {
  const gate = column >= gates ? column - gates : column;
  return i32x4.splat((2 * gate + 1) * GOLDEN);
}

// @ts-ignore: decorator
@inline
function wordsOf(column: u32, gates: u32): usize {
  return column >= gates ? words + 4 * MOST_ROWS : words;
}

/** Mixes the sums of columns `column` and `column + 1` into the words of all rows. */
function multiplyColumns(values: usize, rows: u32, width: u32, gates: u32, column: u32, weights: usize): void {
  const firstWords = wordsOf(column, gates);
  const secondWords = wordsOf(column + 1, gates);
  const firstFactor = factorOf(column, gates);
  const secondFactor = factorOf(column + 1, gates);
  for (let row: u32 = 0; row < rows; ) {
    const together = rowsTogether(rows - row);
    const at = <usize>row << 2;
    if (together == 4) multiplyFour(values, weights, width, firstWords + at, secondWords + at, firstFactor, secondFactor);
    else if (together == 2) multiplyTwo(values, weights, width, firstWords + at, secondWords + at, firstFactor, secondFactor);
    else multiplyOne(values, weights, width, firstWords + at, secondWords + at, firstFactor, secondFactor);
    values += <usize>together * (width << 1);
    row += together;
  }
}

// @ts-ignore: decorator
@inline
function addDot(sum: v128, values: v128, weights: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(values, weights));
}

// @ts-ignore: decorator
@inline
function mixIn(at: usize, sums: v128, factor: v128): void {
  v128.store(at, v128.xor(v128.load(at), i32x4.mul(sums, factor)));
}

/** [Σa, Σb, Σc, Σd] */
// @ts-ignore: decorator
@inline
function addAcross(a: v128, b: v128, c: v128, d: v128): v128 {
  const ab = i32x4.add(v128.shuffle<i32>(a, b, 0, 4, 1, 5), v128.shuffle<i32>(a, b, 2, 6, 3, 7));
  const cd = i32x4.add(v128.shuffle<i32>(c, d, 0, 4, 1, 5), v128.shuffle<i32>(c, d, 2, 6, 3, 7));
  return i32x4.add(v128.shuffle<i64>(ab, cd, 0, 2), v128.shuffle<i64>(ab, cd, 1, 3));
}

/** Eight sums at a time. Measured on one processor (AMD EPYC), five rows are 5 % faster, two rows by four columns 10 % slower. */
function multiplyFour(
  values: usize,
  weights: usize,
  width: u32,
  firstWords: usize,
  secondWords: usize,
  firstFactor: v128,
  secondFactor: v128,
): void {
  let a0 = i32x4.splat(0);
  let a1 = i32x4.splat(0);
  let b0 = i32x4.splat(0);
  let b1 = i32x4.splat(0);
  let c0 = i32x4.splat(0);
  let c1 = i32x4.splat(0);
  let d0 = i32x4.splat(0);
  let d1 = i32x4.splat(0);
  for (const end = weights + (width << 1); weights != end; weights += 16) {
    const first = v128.load_ext<i8>(weights);
    const second = v128.load_ext<i8>(weights, 8);
    const a = v128.load(values);
    a0 = addDot(a0, a, first);
    a1 = addDot(a1, a, second);
    const b = v128.load(values, 16);
    b0 = addDot(b0, b, first);
    b1 = addDot(b1, b, second);
    const c = v128.load(values, 32);
    c0 = addDot(c0, c, first);
    c1 = addDot(c1, c, second);
    const d = v128.load(values, 48);
    d0 = addDot(d0, d, first);
    d1 = addDot(d1, d, second);
    values += 64;
  }
  mixIn(firstWords, addAcross(a0, b0, c0, d0), firstFactor);
  mixIn(secondWords, addAcross(a1, b1, c1, d1), secondFactor);
}

function multiplyTwo(
  values: usize,
  weights: usize,
  width: u32,
  firstWords: usize,
  secondWords: usize,
  firstFactor: v128,
  secondFactor: v128,
): void {
  let a0 = i32x4.splat(0);
  let a1 = i32x4.splat(0);
  let b0 = i32x4.splat(0);
  let b1 = i32x4.splat(0);
  const none = i32x4.splat(0);
  for (const end = weights + (width << 1); weights != end; weights += 16) {
    const first = v128.load_ext<i8>(weights);
    const second = v128.load_ext<i8>(weights, 8);
    const a = v128.load(values);
    a0 = addDot(a0, a, first);
    a1 = addDot(a1, a, second);
    const b = v128.load(values, 16);
    b0 = addDot(b0, b, first);
    b1 = addDot(b1, b, second);
    values += 32;
  }
  mixIn(firstWords, addAcross(a0, b0, none, none), firstFactor);
  mixIn(secondWords, addAcross(a1, b1, none, none), secondFactor);
}

/** One row is as fast as memory is read: the loop is unrolled so that sums do not wait for each other. */
function multiplyOne(
  values: usize,
  weights: usize,
  width: u32,
  firstWords: usize,
  secondWords: usize,
  firstFactor: v128,
  secondFactor: v128,
): void {
  let first0 = i32x4.splat(0);
  let first1 = i32x4.splat(0);
  let second0 = i32x4.splat(0);
  let second1 = i32x4.splat(0);
  const none = i32x4.splat(0);
  for (const end = weights + (width << 1); weights != end; weights += 64) {
    let row = v128.load(values);
    first0 = addDot(first0, row, v128.load_ext<i8>(weights));
    second0 = addDot(second0, row, v128.load_ext<i8>(weights, 8));
    row = v128.load(values, 16);
    first1 = addDot(first1, row, v128.load_ext<i8>(weights, 16));
    second1 = addDot(second1, row, v128.load_ext<i8>(weights, 24));
    row = v128.load(values, 32);
    first0 = addDot(first0, row, v128.load_ext<i8>(weights, 32));
    second0 = addDot(second0, row, v128.load_ext<i8>(weights, 40));
    row = v128.load(values, 48);
    first1 = addDot(first1, row, v128.load_ext<i8>(weights, 48));
    second1 = addDot(second1, row, v128.load_ext<i8>(weights, 56));
    values += 64;
  }
  mixIn(firstWords, addAcross(i32x4.add(first0, first1), none, none, none), firstFactor);
  mixIn(secondWords, addAcross(i32x4.add(second0, second1), none, none, none), secondFactor);
}
