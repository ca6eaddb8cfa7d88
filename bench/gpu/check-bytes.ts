import { readFile } from 'node:fs/promises';
import { fromHex, type Hash, type Parameters, parameterSets, toHex } from '@latent/proof';
import {
  type CudaEngineOptions,
  createProver,
  type Engine,
  openCudaEngine,
  openReferenceEngine,
} from '@latent/proof/provers';

export interface ByteCheck {
  readonly what: string;
  readonly equal: boolean;
}

const beaconNames = ['fill', 'compute', 'bandwidth', 'sample'] as const;

interface KnownAnswers {
  readonly context: string;
  readonly beacons: Readonly<Record<(typeof beaconNames)[number], string>>;
  readonly proof: {
    readonly layers: number;
    readonly passes: { readonly compute: number; readonly bandwidth: number };
    readonly keccak256: string;
  };
}

/** Shapes of the fast kernels, small enough for the reference: two tiles of rows, and more blocks of k than warps. */
const shapes: readonly Parameters[] = [
  { ...parameterSets.development, gates: 16, computeRows: 256, laneRows: 8 },
  { ...parameterSets.development, width: 512, gates: 16, links: 4, computeRows: 128, lanes: 4, laneRows: 8 },
];

/** Whether the device gives the bytes of the specification: the known proof, and the reference's at shapes of the fast kernels. */
export async function checkBytes(
  options: CudaEngineOptions,
  hash: Hash,
  say: (text: string) => void,
): Promise<readonly ByteCheck[]> {
  const checks: ByteCheck[] = [];
  const tell = (what: string, equal: boolean) => {
    say(`${equal ? 'right' : 'WRONG'}: ${what}`);
    checks.push({ what, equal });
  };
  const known: KnownAnswers = JSON.parse(await readFile(vectorPath(), 'utf8'));
  tell(
    'the known proof of the set development',
    await withEngine(options, (engine) => knownProof(engine, hash, known)),
  );
  for (const parameters of shapes) {
    const expected = await answersOf(openReferenceEngine({ hash }), hash, parameters);
    const same = async (engine: Engine) => (await answersOf(engine, hash, parameters)) === expected;
    const shape = `width ${parameters.width}, ${parameters.computeRows} rows`;
    tell(`the best kernels at ${shape}`, await withEngine(options, same));
    tell(`the generic kernels at ${shape}`, await withEngine({ ...options, stepKernel: 'generic' }, same));
  }
  return checks;
}

/** In the archive, or in the repository. */
function vectorPath(): URL {
  const packed = import.meta.url.includes('/src/provers/cuda/');
  return new URL(
    packed ? '../../../vectors/known-answers.json' : '../../packages/proof/vectors/known-answers.json',
    import.meta.url,
  );
}

async function withEngine(options: CudaEngineOptions, use: (engine: Engine) => Promise<boolean>): Promise<boolean> {
  const engine = await openCudaEngine(options);
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

async function knownProof(engine: Engine, hash: Hash, { context, beacons, proof }: KnownAnswers): Promise<boolean> {
  const { signal } = new AbortController();
  const prover = createProver(engine, hash);
  const call = { parameters: parameterSets.development, context: fromHex(context), layers: proof.layers, signal };
  await prover.fill({ ...call, beacon: fromHex(beacons.fill) });
  for (const name of ['compute', 'bandwidth'] as const)
    await prover.runPhase({ name, beacon: fromHex(beacons[name]), enough: (n) => n >= proof.passes[name], signal });
  const bytes = await prover.open(fromHex(beacons.sample), signal);
  return toHex(hash(bytes)) === proof.keccak256;
}

/** A whole proof of fixed beacons, as its digest. */
async function answersOf(engine: Engine, hash: Hash, parameters: Parameters): Promise<string> {
  const { signal } = new AbortController();
  const prover = createProver(engine, hash);
  const beacon = new Uint8Array(32).fill(7);
  await prover.fill({ parameters, context: beacon, beacon, layers: parameters.lanes, signal });
  for (const name of ['compute', 'bandwidth'] as const)
    await prover.runPhase({ name, beacon, enough: (n) => n >= 2, signal });
  return toHex(hash(await prover.open(beacon, signal)));
}
