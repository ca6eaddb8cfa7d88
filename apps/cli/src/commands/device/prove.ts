import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import type { Command } from '@commander-js/extra-typings';
import type { ChallengeResult, ParameterSetName, Parameters, Rates } from '@latent/proof';
import type { ClaimComparison, DiscoveredDevice } from '@latent/proof/devices';
import type { Engine } from '@latent/proof/provers';
import { LatentError } from '@latent/protocol';
import { exitCodes } from '../../exit-codes.ts';
import { type CommandContext, runCommand } from '../../run-command.ts';
import { openProofProgress } from '../../screen/proof-progress.ts';
import { showComparison } from '../../screen/show-comparison.ts';
import { formatMemory, showProof } from '../../screen/show-proof.ts';
import { visibleText } from '../../screen/visible-text.ts';
import { JSON_OPTION } from '../cluster/common-options.ts';
import { chooseDevice } from './choose-device.ts';
import { findDevices } from './find-devices.ts';
import { openFirst } from './open-first.ts';
import { saveProof } from './save-proof.ts';

const SETS: readonly ParameterSetName[] = ['production', 'cpu', 'development'];

/** What a processor proves unless told otherwise: all of its memory would leave none for what else runs. */
const PROCESSOR_MEMORY_BYTES = 2 ** 30;

interface ProveFlags {
  readonly set?: string | undefined;
  readonly memory?: string | undefined;
  readonly out: string;
}

/** `latent device prove [DEVICE]` */
export function addDeviceProve(device: Command): void {
  device
    .command('prove')
    .summary('measure a device by a proof that anybody can check: operations, memory, bandwidth')
    .argument('[device]', 'id or part of the name, as `latent device list` shows (default: the first)')
    .option('--memory <GiB>', 'memory to fill (default: all that is free of a GPU, 1 of a machine that offers its CPU)')
    .option('--set <name>', `parameter set: ${SETS.join(', ')} (default: production for a GPU, cpu for a CPU)`)
    .option('--out <file>', 'where the proof is written', 'proof.json')
    .option(...JSON_OPTION)
    .addHelpText('after', '\nExample:\n  $ latent device prove cpu --memory 2')
    .action((name, flags) => runCommand(flags, (context) => prove(context, name, flags)));
}

async function prove(context: CommandContext, name: string | undefined, flags: ProveFlags): Promise<number> {
  const { output, signal } = context;
  const [proofs, provers] = await Promise.all([import('@latent/proof'), import('@latent/proof/provers')]);
  await refuseExisting(flags.out);
  const device = chooseDevice((await findDevices(signal)).devices, name);
  const parameters = proofs.parameterSets[chooseSet(flags.set, device)];
  const engine = await openFirst(device, provers);
  try {
    const layers = await chooseLayers(engine, parameters, flags.memory, proofs.layerBytes(parameters));
    const bytes = BigInt(layers) * BigInt(proofs.layerBytes(parameters));
    const { compute, bandwidth } = proofs.leastMs(parameters);
    output.line(
      `${visibleText(engine.device.name)} (${engine.device.class}), engine ${engine.kind}, set ${parameters.name}`,
    );
    output.line(
      `Fills ${formatMemory(bytes)} of its memory, computes for ${compute / 1000} s or one pass, reads for ${bandwidth / 1000} s or one pass. Ctrl-C stops it.`,
    );
    const kernel = await proofs.loadKernel();
    const progress = openProofProgress(output);
    const result = await proofs
      .runChallenge({
        ...{ prover: provers.createProver(engine, kernel.hash), kernel, parameters, layers, signal },
        ...{ context: new Uint8Array(randomBytes(32)), drawBeacon: async () => new Uint8Array(randomBytes(32)) },
        ...{ nowMs: () => performance.now(), onProgress: progress.show },
      })
      .finally(progress.close);
    return await report(context, device, engine, result, flags.out);
  } finally {
    await engine.close();
  }
}

async function report(
  { output }: CommandContext,
  device: DiscoveredDevice,
  engine: Engine,
  { verdict, proof, times, header }: ChallengeResult,
  file: string,
): Promise<number> {
  const { formatRecord } = await import('@latent/proof');
  const { name, class: kind } = engine.device;
  const described = {
    device: { name: visibleText(name.slice(0, 200)), class: kind, engine: engine.kind },
    observer: 'self',
  };
  output.line(`\n${showProof(described, header, verdict)}`);
  const compared = verdict.outcome === 'proven' ? await compare(device, engine, verdict.measured) : undefined;
  if (compared !== undefined) output.line(`\n${showComparison(compared)}`);
  const saved = proof !== undefined && times !== undefined && verdict.outcome === 'proven';
  if (saved) {
    await saveProof(file, formatRecord({ ...described, timesMs: times, proof }));
    output.line(`\nWritten to ${file}. Next: latent proof verify ${file}`);
  }
  output.result({
    ...{ verdict, ...described, timesMs: times, set: header?.parameters.name, layers: header?.layers },
    ...{ comparison: compared, file: saved ? file : undefined },
  });
  return verdict.outcome === 'proven' ? exitCodes.ok : exitCodes.failed;
}

/** A GPU's proof beside the model that it calls itself; a CPU has no figures to hold it against. */
async function compare(
  device: DiscoveredDevice,
  engine: Engine,
  measured: Rates,
): Promise<ClaimComparison | undefined> {
  if (engine.device.class !== 'gpu') return undefined;
  const { compareWithClaim } = await import('@latent/proof/devices');
  const memory = device.memoryBytes === undefined ? {} : { memoryBytes: device.memoryBytes };
  return compareWithClaim(measured, { name: device.name, class: 'gpu', ...memory });
}

function chooseSet(wanted: string | undefined, device: DiscoveredDevice): ParameterSetName {
  const name = SETS.find((set) => set === wanted);
  if (name !== undefined) return name;
  if (wanted !== undefined) {
    throw new LatentError('CONFIG_INVALID', `--set is one of ${SETS.join(', ')}, not "${wanted.slice(0, 20)}".`);
  }
  return device.class === 'cpu' ? 'cpu' : 'production';
}

async function chooseLayers(engine: Engine, parameters: Parameters, memory: string | undefined, bytesOfLayer: number) {
  const fitting = await engine.fittingLayers(parameters);
  const untold = engine.device.class === 'cpu' ? PROCESSOR_MEMORY_BYTES : fitting * bytesOfLayer;
  const wanted = Math.floor((readMemory(memory) ?? untold) / bytesOfLayer / parameters.lanes) * parameters.lanes;
  if (fitting < parameters.lanes || wanted < parameters.lanes || (memory !== undefined && wanted > fitting)) {
    const free = formatMemory(BigInt(fitting * bytesOfLayer));
    const least = formatMemory(BigInt(parameters.lanes * bytesOfLayer));
    const asked = memory === undefined ? '' : `${memory} GiB were asked for; `;
    throw new LatentError(
      'DEVICE_OUT_OF_MEMORY',
      `${asked}${free} are free, and the set ${parameters.name} takes at least ${least}.`,
      {
        hint: 'Choose another --memory or --set, or end what else uses the device.',
      },
    );
  }
  return Math.min(wanted, fitting);
}

function readMemory(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,5}(\.\d{1,3})?$/.test(text) && Number(text) > 0) return Number(text) * 2 ** 30;
  throw new LatentError('CONFIG_INVALID', `--memory is a number of GiB like 2 or 0.5, not "${text.slice(0, 20)}".`);
}

/** Before the work, not after it. */
async function refuseExisting(path: string): Promise<void> {
  const there = await access(path).then(
    () => true,
    () => false,
  );
  if (!there) return;
  throw new LatentError('CONFIG_INVALID', `${path} is there already.`, { hint: 'Choose another path with --out.' });
}
