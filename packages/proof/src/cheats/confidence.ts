/** A probability that was measured, and where it lies in `level` of all cases. */
export interface Confidence {
  readonly measured: number;
  readonly low: number;
  readonly high: number;
}

/** Halvings of 0 … 1: beyond what a double can tell apart. */
const HALVINGS = 60;

/**
 * The exact interval of Clopper and Pearson (Biometrika 26, 1934) for a probability.
 * @param hits 0 … trials
 * @param level how often the interval has to hold the true value, below 1
 */
export function confidenceOf(hits: number, trials: number, level: number): Confidence {
  const tail = (1 - level) / 2;
  return {
    measured: trials === 0 ? 0 : hits / trials,
    low: hits === 0 ? 0 : boundary((p) => atMostHits(trials - hits, trials, 1 - p) < tail),
    high: hits === trials ? 1 : boundary((p) => atMostHits(hits, trials, p) >= tail),
  };
}

/** The largest probability of which `holds`, which holds up to somewhere. */
function boundary(holds: (probability: number) => boolean): number {
  let [low, high] = [0, 1];
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (low + high) / 2;
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** Chance of at most so many hits. */
function atMostHits(hits: number, trials: number, probability: number): number {
  if (probability <= 0 || hits >= trials) return 1;
  if (probability >= 1) return 0;
  const [logHit, logMiss] = [Math.log(probability), Math.log1p(-probability)];
  let logTerm = logChoose(trials, hits) + hits * logHit + (trials - hits) * logMiss;
  let sum = 0;
  for (let count = hits; count >= 0; count--) {
    const term = Math.exp(logTerm);
    sum += term;
    // Below the mode every further term is smaller: what is left cannot be seen any more.
    if (count < probability * trials && term < sum * 1e-17) break;
    logTerm += Math.log(count) - Math.log(trials - count + 1) - logHit + logMiss;
  }
  return Math.min(1, sum);
}

function logChoose(n: number, k: number): number {
  return logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}

/** Stirling's series, exact to 12 digits from 16 on; below that the product itself. */
function logFactorial(n: number): number {
  if (n < 16) {
    let sum = 0;
    for (let factor = 2; factor <= n; factor++) sum += Math.log(factor);
    return sum;
  }
  return n * Math.log(n) - n + Math.log(2 * Math.PI * n) / 2 + 1 / (12 * n) - 1 / (360 * n ** 3) + 1 / (1260 * n ** 5);
}
