/** WGSL has no 64-bit integers: a lane of keccak is a `vec2u`, its low half first. */
const LANES = 25;

/** Lanes of a block of keccak-256: 136 bytes. */
const RATE = 17;

/** By how much rho turns the lane x + 5y. FIPS 202, table 2. */
const TURNS = [0, 1, 62, 28, 27, 36, 44, 6, 55, 20, 3, 10, 43, 25, 39, 41, 45, 15, 21, 8, 18, 2, 61, 56, 14];

/** Round constants of iota, high half and low half. FIPS 202, 3.2.5. */
const ROUND_CONSTANTS =
  '00000000 00000001,00000000 00008082,80000000 0000808a,80000000 80008000,00000000 0000808b,00000000 80000001,' +
  '80000000 80008081,80000000 00008009,00000000 0000008a,00000000 00000088,00000000 80008009,00000000 8000000a,' +
  '00000000 8000808b,80000000 0000008b,80000000 00008089,80000000 00008003,80000000 00008002,80000000 00000080,' +
  '00000000 0000800a,80000000 8000000a,80000000 80008081,80000000 00008080,00000000 80000001,80000000 80008008';

const lanes = Array.from({ length: LANES }, (_, lane) => lane);

const lines = (parts: readonly string[]) => parts.join('\n    ');

/** `value` turned left by a constant; no shift by 0 or by 32, which WGSL leaves open or refuses. */
function turned(value: string, by: number): string {
  const bits = by % 32;
  const halves = by < 32 ? value : `(${value}).yx`;
  return bits === 0 ? halves : `turn(${halves}, ${bits}u)`;
}

function theta(): string {
  const parities = [0, 1, 2, 3, 4].map(
    (x) => `let c${x} = ${[0, 5, 10, 15, 20].map((y) => `(*s)[${x + y}]`).join(' ^ ')};`,
  );
  const mixes = [0, 1, 2, 3, 4].map((x) => `let d${x} = c${(x + 4) % 5} ^ ${turned(`c${(x + 1) % 5}`, 1)};`);
  return lines([...parities, ...mixes]);
}

function rhoAndPi(): string {
  return lines(
    lanes.map((lane) => {
      const [x, y] = [lane % 5, Math.floor(lane / 5)];
      const target = y + 5 * ((2 * x + 3 * y) % 5);
      return `let b${target} = ${turned(`((*s)[${lane}] ^ d${x})`, TURNS[lane] ?? 0)};`;
    }),
  );
}

function chi(): string {
  return lines(
    lanes.map((lane) => {
      const row = lane - (lane % 5);
      return `(*s)[${lane}] = b${lane} ^ (~b${row + ((lane + 1) % 5)} & b${row + ((lane + 2) % 5)});`;
    }),
  );
}

const roundConstants = ROUND_CONSTANTS.split(',').map((constant) => {
  const [high, low] = constant.split(' ');
  return `vec2u(0x${low}u, 0x${high}u)`;
});

/**
 * Keccak-f[1600], and what shaders speak of hashes in: `Digest` (32 bytes as they lie in memory), `word32` and `word64`
 * (a number as 32 bytes, big-endian). Every index of the state is a constant, so that it stays in registers.
 */
export const keccakSource = /* wgsl */ `
struct Digest { a: vec4u, b: vec4u }
alias Sponge = array<vec2u, ${LANES}>;

const roundConstants = array<vec2u, 24>(${roundConstants.join(', ')});

// Both halves of a lane turned left by 0 < bits < 32.
fn turn(lane: vec2u, bits: u32) -> vec2u {
  return (lane << vec2u(bits)) | (lane.yx >> vec2u(32u - bits));
}

fn permute(s: ptr<function, Sponge>) {
  for (var round = 0u; round < 24u; round++) {
    ${theta()}
    ${rhoAndPi()}
    ${chi()}
    (*s)[0] ^= roundConstants[round];
  }
}

fn swapBytes(x: u32) -> u32 {
  return (x >> 24u) | ((x >> 8u) & 0xff00u) | ((x << 8u) & 0xff0000u) | (x << 24u);
}

fn word64(high: u32, low: u32) -> Digest {
  return Digest(vec4u(0u), vec4u(0u, 0u, swapBytes(high), swapBytes(low)));
}

fn word32(x: u32) -> Digest {
  return word64(0u, x);
}
`;

/**
 * WGSL of `fn hash{count}(d0: Digest, …) -> Digest`: keccak-256 of so many times 32 bytes. Needs `keccakSource`.
 * @param count at least 1
 */
export function hashSource(count: number): string {
  const message = Array.from({ length: count }, (_, digest) =>
    ['a.xy', 'a.zw', 'b.xy', 'b.zw'].map((part) => `d${digest}.${part}`),
  ).flat();
  const absorbed = message.flatMap((lane, index) => {
    const place = `s[${index % RATE}] ^= ${lane};`;
    return index % RATE === RATE - 1 ? [place, 'permute(&s);'] : [place];
  });
  const parameters = Array.from({ length: count }, (_, digest) => `d${digest}: Digest`).join(', ');
  return /* wgsl */ `
fn hash${count}(${parameters}) -> Digest {
  var s = Sponge();
  ${absorbed.join('\n  ')}
  // Padding: 01 after the last byte, 80 in the last byte of the block.
  s[${message.length % RATE}] ^= vec2u(1u, 0u);
  s[${RATE - 1}] ^= vec2u(0u, 0x80000000u);
  permute(&s);
  return Digest(vec4u(s[0], s[1]), vec4u(s[2], s[3]));
}
`;
}
