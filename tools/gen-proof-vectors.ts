import {
  formatRecord,
  HEADER_BYTES,
  MOST_LAYERS,
  type ProofHeader,
  parameterSets,
  runChallenge,
  verifyProof,
} from '@latent/proof';
import { createProver, openReferenceEngine } from '@latent/proof/provers';
import {
  deriveFromHeader,
  drawSamples,
  firstSeed,
  inputRow,
  nobleHash,
  type Parameters,
  phaseNames,
  phaseOf,
  referenceKernel,
  requantise,
  rowKey,
  sessionId,
  siblingPlaces,
  stateDigest,
  toHex,
  treeRoot,
  weights,
} from '@latent/proof/spec';
import { toLatentError } from '@latent/protocol';

const ANSWERS_PATH = 'packages/proof/vectors/known-answers.json';
const RECORD_PATH = 'packages/proof/vectors/development-proof.json';

const bytesOf = (text: string) => nobleHash(new TextEncoder().encode(text));
const context = bytesOf('context');
const beacons = {
  fill: bytesOf('fill'),
  compute: bytesOf('compute'),
  bandwidth: bytesOf('bandwidth'),
  sample: bytesOf('sample'),
};

/** Known answers for docs/proof.md. @returns content by path relative to the repository's root; the same at every call */
export async function generateProofVectors(): Promise<Map<string, string>> {
  const { proof, header } = await makeProof();
  const vectors = {
    about: 'Known answers of docs/proof.md. Bytes are hexadecimal; rows are packed as in section 5.',
    context: toHex(context),
    beacons: Object.fromEntries(Object.entries(beacons).map(([name, value]) => [name, toHex(value)])),
    sets: Object.values(parameterSets).map((parameters) => setVectors(parameters, 3 * parameters.lanes)),
    requantise: requantiseVectors(),
    trees: [1, 2, 3, 5, 8].map(treeVector),
    siblings: [
      { leaves: [5, 6, 6, 11], depth: 4 },
      { leaves: [0], depth: 3 },
      { leaves: [0, 1, 2, 3], depth: 2 },
    ].map((one) => ({ ...one, places: siblingPlaces(one.leaves, one.depth) })),
    proof: await proofVector(proof, header),
  };
  const device = { name: 'plain TypeScript', class: 'cpu', engine: 'reference' } as const;
  const record = formatRecord({ device, observer: 'self', timesMs: { compute: 5, bandwidth: 7 }, proof });
  return new Map([
    [ANSWERS_PATH, `${JSON.stringify(vectors, undefined, 2)}\n`],
    [RECORD_PATH, record],
  ]);
}

function setVectors(parameters: Parameters, layers: number) {
  const session = { parameters, layers, id: sessionId(nobleHash, parameters, context, beacons.fill) };
  const [layer, gate, output] = [layers - 1, parameters.gates - 1, parameters.width - 3];
  const column = weights(nobleHash, parameters, session.id, layer, gate, output);
  const far = weights(nobleHash, parameters, session.id, MOST_LAYERS - 1, gate, output);
  const phases = phaseNames.map((name) => {
    const phase = phaseOf(parameters, name, layers);
    const seed = firstSeed(nobleHash, session, phase, beacons[name]);
    const row = phase.rows - 1;
    const input = inputRow(nobleHash, parameters, seed, row);
    const key = rowKey(nobleHash, parameters, seed, row);
    const through = phase.layerOf(row, 1);
    const sums = referenceKernel.accumulate(parameters, session.id, through, output, input);
    return {
      ...{
        name,
        firstSeed: toHex(seed),
        row,
        rowKey: key,
        input: toHex(input),
        inputDigest: toHex(stateDigest(nobleHash, input)),
      },
      ...{ step: 1, layer: through, output, sums: [...sums], code: requantise(key, through, output, sums) },
      samples: drawSamples(nobleHash, parameters, phase, 13, bytesOf('root'), beacons.sample).slice(0, 4),
    };
  });
  return {
    ...{ name: parameters.name, number: parameters.number, layers, session: toHex(session.id) },
    weights: {
      layer,
      gate,
      output,
      first64: [...column.slice(0, 64)],
      sum: column.reduce((sum, weight) => sum + weight, 0),
    },
    farWeights: { layer: MOST_LAYERS - 1, gate, output, first8: [...far.slice(0, 8)] },
    samplesOf: { passes: 13, root: toHex(bytesOf('root')) },
    phases,
  };
}

function requantiseVectors() {
  const cases: readonly (readonly [number, number, number, readonly number[]])[] = [
    [0, 0, 0, [0]],
    [0xffff_ffff, 65_535, 2047, [2 ** 21, -(2 ** 21)]],
    [0x0123_4567, 7, 255, [-1, 1, -1_048_576, 524_287]],
    [0x8000_0000, 1, 1, Array.from({ length: 16 }, (_, gate) => (gate - 8) * 12_345)],
  ];
  return cases.map(([key, layer, output, sums]) => ({
    key,
    layer,
    output,
    sums,
    code: requantise(key, layer, output, sums),
  }));
}

function treeVector(leaves: number) {
  const digests = Array.from({ length: leaves }, (_, index) => bytesOf(`leaf ${index}`));
  return { leaves: digests.map(toHex), root: toHex(treeRoot(nobleHash, digests)) };
}

/** A whole proof of the development set, made by the reference: two compute and three bandwidth passes, four layers. */
async function makeProof() {
  const engine = openReferenceEngine();
  let calls = 0;
  const phaseMs = { compute: 3, bandwidth: 5 };
  const { proof, verdict, header } = await runChallenge({
    ...{
      prover: createProver(engine, nobleHash),
      kernel: referenceKernel,
      parameters: parameterSets.development,
      context,
    },
    ...{ drawBeacon: async (which: keyof typeof beacons) => beacons[which], nowMs: () => ++calls, layers: 4, phaseMs },
    signal: new AbortController().signal,
  });
  await engine.close();
  if (proof === undefined || header === undefined || verdict.outcome !== 'proven')
    throw new Error('the reference does not prove');
  return { proof, header };
}

async function proofVector(proof: Uint8Array, header: ProofHeader) {
  const { seeds, commitments, root } = deriveFromHeader(nobleHash, header);
  return {
    ...{ set: 'development', layers: header.layers, passes: header.passes, file: 'development-proof.json' },
    firstSeeds: { compute: toHex(seeds.compute), bandwidth: toHex(seeds.bandwidth) },
    phaseRoots: { compute: toHex(header.phaseRoots.compute), bandwidth: toHex(header.phaseRoots.bandwidth) },
    commitments: { compute: toHex(commitments.compute), bandwidth: toHex(commitments.bandwidth) },
    ...{ proofRoot: toHex(root), bytes: proof.length, keccak256: toHex(nobleHash(proof)) },
    refused: await Promise.all(refusals.map((change) => refusedVector(proof, change))),
  };
}

/** Byte `at` of the proof, from the end if negative, exclusive-ored with `xor`; then cut to `bytes`. */
const refusals = [
  { what: 'the magic', at: 0, xor: 1 },
  { what: 'a set that there is not', at: 4, xor: 0x40 },
  { what: 'layers that are no multiple of the lanes', at: 168, xor: 1 },
  { what: 'a header that is cut', at: 0, xor: 0, bytes: HEADER_BYTES - 1 },
  { what: 'a header alone', at: 0, xor: 0, bytes: HEADER_BYTES },
  { what: 'a state', at: HEADER_BYTES, xor: 1 },
  { what: 'the last sibling', at: -1, xor: 0x80 },
];

async function refusedVector(proof: Uint8Array, { what, at, xor, bytes = proof.length }: (typeof refusals)[number]) {
  const changed = proof.slice(0, bytes);
  const place = at < 0 ? proof.length + at : at;
  changed[place] = (changed[place] ?? 0) ^ xor;
  const code = await verifyProof(referenceKernel, changed).then(
    () => 'taken',
    (error: unknown) => toLatentError(error).code,
  );
  return { what, at: place, xor, bytes, code };
}
