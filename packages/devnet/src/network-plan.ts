import { LatentError, parseDollars } from '@latent/protocol';
import { hexToBigInt, keccak256, stringToBytes } from 'viem';

/** Why an operator of the plan does not suit the main job, if it does not. */
export type Fit = 'fits' | 'too dear' | 'too little memory';

export interface OperatorPlan {
  /** `operator-1`, …; names its folder, log and process. */
  readonly name: string;
  /** Loopback address of its machine: 127.0.1.1 for the first. */
  readonly address: string;
  /** Base units of the stablecoin per device-hour. */
  readonly pricePerDeviceHour: bigint;
  readonly region: string;
  readonly site: string;
  readonly cpuCores: number;
  readonly memoryMiB: number;
  /** Against {@link MAIN_JOB}. */
  readonly fit: Fit;
}

export interface NetworkPlan {
  readonly seed: string;
  /** `book-1`, `book-2`. */
  readonly books: readonly string[];
  readonly operators: readonly OperatorPlan[];
}

/** What the main job asks of each machine. */
export const MAIN_JOB = {
  machines: 4,
  minMemoryMiB: 1024,
  minCpuCores: 1,
  maxPricePerDeviceHour: parseDollars('0.60'),
} as const;

export const DEFAULT_SEED = 'latent';
export const DEFAULT_OPERATORS = 6;
export const MAX_OPERATORS = 64;
const BOOKS = 2;

const SITES: readonly (readonly [region: string, site: string])[] = [
  ['eu-west', 'lisbon'],
  ['eu-west', 'dublin'],
  ['eu-north', 'tampere'],
  ['us-east', 'montreal'],
  ['us-west', 'portland'],
  ['sa-east', 'curitiba'],
  ['af-south', 'durban'],
  ['ap-south', 'pune'],
  ['ap-east', 'osaka'],
];

/** Prices of machines that fit: $0.200 to $0.595, in steps that are enough for `MAX_OPERATORS` different ones. */
const LOWEST_PRICE = parseDollars('0.20');
const PRICE_STEP = parseDollars('0.005');
const PRICES = 80;
const DEAR_PRICE = parseDollars('0.75');

/**
 * What a local network consists of: the same for the same seed and number of operators, everywhere and for ever. All prices
 * differ. Up to four operators all fit the main job; of five, one is too dear; of more, one has too little memory as well.
 * @throws LatentError CONFIG_INVALID for a number of operators that is not 1 to 64
 */
export function planNetwork(seed: string = DEFAULT_SEED, operators: number = DEFAULT_OPERATORS): NetworkPlan {
  if (!Number.isInteger(operators) || operators < 1 || operators > MAX_OPERATORS) {
    throw new LatentError('CONFIG_INVALID', `A local network has 1 to ${MAX_OPERATORS} operators, not ${operators}.`);
  }
  const numbers = Array.from({ length: operators }, (_, index) => index);
  const shuffled = (label: string) =>
    numbers.toSorted((a, b) => (draw(seed, `${label} ${a}`) < draw(seed, `${label} ${b}`) ? -1 : 1));
  const misfits = shuffled('fit').slice(0, Math.max(0, Math.min(2, operators - MAIN_JOB.machines)));
  const priceBands = shuffled('price band');
  const firstSite = choose(seed, 'site', SITES.length);
  return {
    seed,
    books: Array.from({ length: BOOKS }, (_, index) => `book-${index + 1}`),
    operators: numbers.map((index) => {
      const fit: Fit = index === misfits[0] ? 'too dear' : index === misfits[1] ? 'too little memory' : 'fits';
      const [region, site] = SITES[(firstSite + index) % SITES.length] ?? ['eu-west', 'lisbon'];
      return {
        name: `operator-${index + 1}`,
        address: `127.0.1.${index + 1}`,
        pricePerDeviceHour: priceOf(seed, fit, priceBands.indexOf(index), operators),
        region,
        site: `${site}-${Math.floor(index / SITES.length) + 1}`,
        cpuCores: 1 + choose(seed, `cores ${index}`, 2),
        memoryMiB: (fit === 'too little memory' ? 512 : 1024) + 256 * choose(seed, `memory ${index}`, 2),
        fit,
      };
    }),
  };
}

function priceOf(seed: string, fit: Fit, band: number, bands: number): bigint {
  const from = Math.floor((PRICES * band) / bands);
  const to = Math.floor((PRICES * (band + 1)) / bands);
  const step = BigInt(from + choose(seed, `price ${band}`, to - from));
  return (fit === 'too dear' ? DEAR_PRICE : LOWEST_PRICE) + PRICE_STEP * step;
}

/** A whole number below `count`. */
function choose(seed: string, label: string, count: number): number {
  return Number(draw(seed, label) % BigInt(count));
}

/** A number that only the seed and the label decide: no draw depends on how many there were before it. */
function draw(seed: string, label: string): bigint {
  return hexToBigInt(keccak256(stringToBytes(`${seed}\n${label}`)));
}
