import { arithmeticSource, factorOf } from './arithmetic.wgsl.ts';
import { parametersSource, type Shape, STRIPE, sixteens, TILE_COLUMNS, TILE_ROWS } from './layout.ts';

/** Invocations of a workgroup: 16 × 16, each with 4 rows and 16 columns of the tile. */
const INVOCATIONS = 256;

const four = [0, 1, 2, 3] as const;
const components = ['x', 'y', 'z', 'w'] as const;

/** Column tiles of a layer. */
export function columnTiles({ width, gates }: Shape): number {
  return (width * gates) / TILE_COLUMNS;
}

/**
 * What an invocation loads at a time, four rows or columns by four *elements*, and the products of one element. An
 * element is what one multiplication takes: four int8 values in a word, or one value in binary32.
 */
function elementSource({ arithmetic }: Shape): string {
  if (arithmetic === 'dot4')
    return /* wgsl */ `
alias Elements = vec4u;

// A tile is two sixteens of values deep.
fn sixteenOf(tile: u32, part: u32) -> u32 { return 2u * tile + part; }
fn elementsOf(sixteen: vec4u, tile: u32, part: u32) -> Elements { return sixteen; }

fn products(a: u32, b: vec4u) -> vec4i {
  return vec4i(dot4I8Packed(a, b.x), dot4I8Packed(a, b.y), dot4I8Packed(a, b.z), dot4I8Packed(a, b.w));
}
`;
  return /* wgsl */ `
alias Elements = vec4f;

// A tile is half a sixteen of values deep, and a part is one word of it.
fn sixteenOf(tile: u32, part: u32) -> u32 { return tile / 2u; }
fn elementsOf(sixteen: vec4u, tile: u32, part: u32) -> Elements { return unpacked(sixteen[2u * (tile % 2u) + part]); }

fn products(a: f32, b: vec4f) -> vec4f { return a * b; }
`;
}

/** The joined sums of one row and one of an invocation's outputs. */
function joinedSource(gates: number, row: number, output: number): string {
  const terms = Array.from({ length: gates }, (_, gate) => {
    const column = output * gates + gate;
    return `(bits(sum${row}${Math.floor(column / 4)}.${components[column % 4]}) * ${factorOf(gate)})`;
  });
  return `tweak(keys[row${row}], p.layer, firstOutput + ${output}u) ^ ${terms.join(' ^ ')}`;
}

/**
 * How values are written, four to a word. With up to four gates an invocation has all four outputs of a word; with more
 * of them, neighbours put a word together in the workgroup's memory.
 */
function writeSource({ width, gates }: Shape): { readonly declared: string; readonly written: string } {
  const outputs = 16 / gates;
  const byte = (row: number, output: number) => `valueByte(${joinedSource(gates, row, output)})`;
  if (outputs >= 4) {
    const words = Array.from({ length: outputs / 4 }, (_, word) => word);
    const written = four.flatMap((row) =>
      words.map((word) => {
        const bytes = four.map((place) => `(${byte(row, 4 * word + place)} << ${8 * place}u)`);
        return `next[row${row} * ${width / 4}u + firstOutput / 4u + ${word}u] = ${bytes.join(' | ')};`;
      }),
    );
    return { declared: '', written: written.join('\n  ') };
  }
  const rowWords = TILE_COLUMNS / gates / 4;
  const gathered = four.flatMap((row) =>
    Array.from({ length: outputs }, (_, output) => {
      const place = `(across * ${outputs}u + ${output}u)`;
      const word = `(4u * down + ${row}u) * ${rowWords}u + ${place} / 4u`;
      return `atomicOr(&words[${word}], ${byte(row, output)} << (8u * (${place} % 4u)));`;
    }),
  );
  return {
    declared: `var<workgroup> words: array<atomic<u32>, ${TILE_ROWS * rowWords}>;`,
    written: /* wgsl */ `${gathered.join('\n  ')}
  workgroupBarrier();
  for (var index = local; index < ${TILE_ROWS * rowWords}u; index += ${INVOCATIONS}u) {
    let row = firstRow + index / ${rowWords}u;
    next[row * ${width / 4}u + columnTile * ${rowWords}u + index % ${rowWords}u] = atomicLoad(&words[index]);
  }`,
  };
}

/**
 * Many rows through one layer: a matrix product, tile by tile, whose sums never leave the registers. A workgroup has all
 * gates of its outputs, so that it joins them itself and writes the next state.
 *
 * Dispatched with one workgroup for each tile; \`rowTiles\` tiles from \`firstRow\` on for each column tile. Rows come in
 * multiples of 64: what is worked out for rows that nobody asked for is not read.
 */
export function computeStepSource(shape: Shape): string {
  const { gates, arithmetic } = shape;
  const depth = sixteens(shape);
  const tiles = arithmetic === 'dot4' ? depth / 2 : depth * 2;
  const { declared, written } = writeSource(shape);
  const sums = four.flatMap((row) => four.map((quad) => `var sum${row}${quad} = Sums();`));
  const added = four.flatMap((row) =>
    four.map((quad) => `sum${row}${quad} += products(a.${components[row]}, b${quad});`),
  );
  return /* wgsl */ `
${arithmeticSource(arithmetic)}
${elementSource(shape)}
${parametersSource('layer', 'rowTiles', 'firstRow')}
@group(1) @binding(0) var<storage, read> weights: array<vec4u>;
@group(1) @binding(1) var<storage, read> state: array<vec4u>;
@group(1) @binding(2) var<storage, read> keys: array<u32>;
@group(1) @binding(3) var<storage, read_write> next: array<u32>;

// Eight elements deep; of each, the rows or columns in fours.
var<workgroup> rowElements: array<Elements, ${(8 * TILE_ROWS) / 4}>;
var<workgroup> columnElements: array<Elements, ${(8 * TILE_COLUMNS) / 4}>;
${declared}

@compute @workgroup_size(${INVOCATIONS})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let tileIndex = p.firstGroup + group.x;
  let firstRow = p.firstRow + (tileIndex % p.rowTiles) * ${TILE_ROWS}u;
  let columnTile = tileIndex / p.rowTiles;
  let across = local % 16u;
  let down = local / 16u;
  ${sums.join(' ')}

  for (var tile = 0u; tile < ${tiles}u; tile++) {
    if (local < 128u) {
      // Four columns each. Quad q of invocation \`across\` is kept at 16q + across, where neighbours do not collide.
      let place = local % 64u;
      let part = local / 64u;
      let column = columnTile * ${TILE_COLUMNS}u + ((place % 16u) * 4u + place / 16u) * 4u;
      let at = ((column / ${STRIPE}u) * ${depth}u + sixteenOf(tile, part)) * ${STRIPE}u + column % ${STRIPE}u;
      let e0 = elementsOf(weights[at], tile, part);
      let e1 = elementsOf(weights[at + 1u], tile, part);
      let e2 = elementsOf(weights[at + 2u], tile, part);
      let e3 = elementsOf(weights[at + 3u], tile, part);
      let first = part * 256u + place;
      columnElements[first] = Elements(e0.x, e1.x, e2.x, e3.x);
      columnElements[first + 64u] = Elements(e0.y, e1.y, e2.y, e3.y);
      columnElements[first + 128u] = Elements(e0.z, e1.z, e2.z, e3.z);
      columnElements[first + 192u] = Elements(e0.w, e1.w, e2.w, e3.w);
    } else if (local < 160u) {
      // Four rows each.
      let place = local % 16u;
      let part = (local - 128u) / 16u;
      let at = (firstRow + 4u * place) * ${depth}u + sixteenOf(tile, part);
      let e0 = elementsOf(state[at], tile, part);
      let e1 = elementsOf(state[at + ${depth}u], tile, part);
      let e2 = elementsOf(state[at + ${2 * depth}u], tile, part);
      let e3 = elementsOf(state[at + ${3 * depth}u], tile, part);
      let first = part * 64u + place;
      rowElements[first] = Elements(e0.x, e1.x, e2.x, e3.x);
      rowElements[first + 16u] = Elements(e0.y, e1.y, e2.y, e3.y);
      rowElements[first + 32u] = Elements(e0.z, e1.z, e2.z, e3.z);
      rowElements[first + 48u] = Elements(e0.w, e1.w, e2.w, e3.w);
    }
    workgroupBarrier();
    for (var element = 0u; element < 8u; element++) {
      let a = rowElements[element * 16u + down];
      let b0 = columnElements[element * 64u + across];
      let b1 = columnElements[element * 64u + 16u + across];
      let b2 = columnElements[element * 64u + 32u + across];
      let b3 = columnElements[element * 64u + 48u + across];
      ${added.join('\n      ')}
    }
    workgroupBarrier();
  }

  let firstOutput = (columnTile * ${TILE_COLUMNS}u + across * 16u) / ${gates}u;
  ${four.map((row) => `let row${row} = firstRow + 4u * down + ${row}u;`).join('\n  ')}
  ${written}
}
`;
}
