import { type Digits, classCount as digitClasses, pixelCount as imagePixels } from './digits-data.ts';
import { makeRandom } from './random.ts';

// The loops below run some 10^8 times: an imported binding there costs a property access each time under a test runner.
const classCount = digitClasses;
const pixelCount = imagePixels;

/**
 * A perceptron of 64 pixels, one hidden layer of tanh, and 10 digits with softmax. Its parameters are one flat vector:
 * hidden weights (hidden × 64), hidden biases, output weights (10 × hidden), output biases.
 */
export interface Shape {
  readonly hidden: number;
}

export function parameterCount({ hidden }: Shape): number {
  return hidden * pixelCount + hidden + classCount * hidden + classCount;
}

/** Glorot's uniform weights from a seed, biases zero. */
export function initialParameters(shape: Shape, seed: number): Float64Array {
  const { hidden } = shape;
  const random = makeRandom(seed);
  const parameters = new Float64Array(parameterCount(shape));
  const fill = (start: number, count: number, inputs: number, outputs: number): void => {
    const limit = Math.sqrt(6 / (inputs + outputs));
    for (let index = start; index < start + count; index += 1) parameters[index] = (2 * random() - 1) * limit;
  };
  fill(0, hidden * pixelCount, pixelCount, hidden);
  fill(hidden * pixelCount + hidden, classCount * hidden, hidden, classCount);
  return parameters;
}

/** Scratch memory of one network, reused from image to image. */
interface Activations {
  readonly hidden: Float64Array;
  readonly output: Float64Array;
}

function makeActivations({ hidden }: Shape): Activations {
  return { hidden: new Float64Array(hidden), output: new Float64Array(classCount) };
}

/**
 * Adds the gradient of each of `rows` to `gradient` and returns the sum of their losses (cross entropy, in nats).
 *
 * @param gradient As long as the parameters; not cleared here.
 */
export function addGradients(
  shape: Shape,
  parameters: Float64Array,
  digits: Digits,
  rows: readonly number[],
  gradient: Float64Array,
): number {
  const { hidden } = shape;
  const activations = makeActivations(shape);
  const hiddenError = new Float64Array(hidden);
  const hiddenBias = hidden * pixelCount;
  const outputWeight = hiddenBias + hidden;
  const outputBias = outputWeight + classCount * hidden;
  let loss = 0;
  for (const row of rows) {
    forward(shape, parameters, digits, row, activations);
    const label = at(digits.labels, row);
    loss -= Math.log(at(activations.output, label));
    hiddenError.fill(0);
    for (let digit = 0; digit < classCount; digit += 1) {
      const error = at(activations.output, digit) - (digit === label ? 1 : 0);
      const start = outputWeight + digit * hidden;
      for (let unit = 0; unit < hidden; unit += 1) {
        gradient[start + unit] = at(gradient, start + unit) + error * at(activations.hidden, unit);
        hiddenError[unit] = at(hiddenError, unit) + error * at(parameters, start + unit);
      }
      gradient[outputBias + digit] = at(gradient, outputBias + digit) + error;
    }
    for (let unit = 0; unit < hidden; unit += 1) {
      const activation = at(activations.hidden, unit);
      const error = at(hiddenError, unit) * (1 - activation * activation);
      const start = unit * pixelCount;
      for (let pixel = 0; pixel < pixelCount; pixel += 1) {
        gradient[start + pixel] = at(gradient, start + pixel) + error * at(digits.pixels, row * pixelCount + pixel);
      }
      gradient[hiddenBias + unit] = at(gradient, hiddenBias + unit) + error;
    }
  }
  return loss;
}

/** How many rows get the right digit. */
export function countCorrect(shape: Shape, parameters: Float64Array, digits: Digits): number {
  const activations = makeActivations(shape);
  let correct = 0;
  for (let row = 0; row < digits.rows; row += 1) {
    forward(shape, parameters, digits, row, activations);
    const best = activations.output.indexOf(Math.max(...activations.output));
    if (best === digits.labels[row]) correct += 1;
  }
  return correct;
}

/** Leaves the probabilities of the ten digits in `into.output`. */
function forward(shape: Shape, parameters: Float64Array, digits: Digits, row: number, into: Activations): void {
  const { hidden } = shape;
  const hiddenBias = hidden * pixelCount;
  const outputWeight = hiddenBias + hidden;
  const outputBias = outputWeight + classCount * hidden;
  for (let unit = 0; unit < hidden; unit += 1) {
    let sum = at(parameters, hiddenBias + unit);
    for (let pixel = 0; pixel < pixelCount; pixel += 1) {
      sum += at(parameters, unit * pixelCount + pixel) * at(digits.pixels, row * pixelCount + pixel);
    }
    into.hidden[unit] = Math.tanh(sum);
  }
  for (let digit = 0; digit < classCount; digit += 1) {
    let sum = at(parameters, outputBias + digit);
    for (let unit = 0; unit < hidden; unit += 1) {
      sum += at(parameters, outputWeight + digit * hidden + unit) * at(into.hidden, unit);
    }
    into.output[digit] = sum;
  }
  const largest = Math.max(...into.output);
  let total = 0;
  for (let digit = 0; digit < classCount; digit += 1) {
    const power = Math.exp(at(into.output, digit) - largest);
    into.output[digit] = power;
    total += power;
  }
  for (let digit = 0; digit < classCount; digit += 1) into.output[digit] = at(into.output, digit) / total;
}

/** NaN outside of the array, so that a wrong index cannot go unseen. */
function at(values: { readonly [index: number]: number }, index: number): number {
  return values[index] ?? Number.NaN;
}
