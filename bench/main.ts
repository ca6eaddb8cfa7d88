import { createShutdown } from '@latent/kit';
import { LatentError, toLatentError } from '@latent/protocol';
import { coordination } from './coordination.ts';
import { gas } from './gas.ts';
import { gasElsewhere } from './gas-elsewhere.ts';
import type { Benchmark } from './harness/benchmark.ts';
import { loadAverages, readMachineFacts } from './harness/machine-facts.ts';
import { printResult } from './harness/print-result.ts';
import { readArguments, USAGE } from './harness/read-arguments.ts';
import { saveResult } from './harness/save-result.ts';
import { imageStart } from './image-start.ts';
import { launch } from './launch.ts';
import { launchPeers } from './launch-peers.ts';
import { links } from './links.ts';
import { nat } from './nat.ts';
import { pageStream } from './page-stream.ts';
import { privateNetwork } from './private-network.ts';
import { proof } from './proof.ts';
import { proofCheats } from './proof-cheats.ts';
import { proofDraws } from './proof-draws.ts';
import { proofFuzz } from './proof-fuzz.ts';
import { proofHonest } from './proof-honest.ts';
import { proofKernels } from './proof-kernels.ts';
import { proofWebgpu } from './proof-webgpu.ts';
import { relay } from './relay.ts';
import { sandboxStart } from './sandbox-start.ts';
import { stream } from './stream.ts';
import { transport } from './transport.ts';
import { transportFuzz } from './transport-fuzz.ts';
import { transportSoak } from './transport-soak.ts';
import { vouchers } from './vouchers.ts';

/** Every benchmark there is. A new one is added here. */
const benchmarks: readonly Benchmark[] = [
  launch,
  launchPeers,
  gas,
  gasElsewhere,
  sandboxStart,
  imageStart,
  coordination,
  vouchers,
  stream,
  pageStream,
  links,
  relay,
  nat,
  privateNetwork,
  proof,
  proofCheats,
  proofDraws,
  proofFuzz,
  proofHonest,
  proofKernels,
  proofWebgpu,
  transport,
  transportFuzz,
  transportSoak,
];

async function main(argv: readonly string[], signal: AbortSignal): Promise<void> {
  const { name, runs, minutes, json, save } = readArguments(argv);
  if (name === undefined) {
    console.log(listBenchmarks());
    return;
  }
  const benchmark = benchmarks.find((one) => one.name === name);
  if (benchmark === undefined) {
    throw new LatentError('CONFIG_INVALID', `There is no benchmark "${name}".`, { hint: listBenchmarks() });
  }
  const loadAverageAtStart = loadAverages();
  const startedAt = new Date();
  const onProgress = (text: string) => console.error(`· ${text}`);
  const measurement = await benchmark.run({ runs, minutes, signal, onProgress });
  signal.throwIfAborted();
  const machine = await readMachineFacts(startedAt, loadAverageAtStart);
  const result = { benchmark: name, machine, ...measurement };
  console.log(json ? JSON.stringify(result, undefined, 2) : printResult(result));
  if (save) onProgress(`saved as ${await saveResult(result)}`);
}

function listBenchmarks(): string {
  const width = Math.max(...benchmarks.map(({ name }) => name.length));
  return [USAGE, '', ...benchmarks.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)].join('\n');
}

/** A defect with its stack, as who runs this is who can mend it; anything else in words. */
function explain(thrown: unknown): unknown {
  const { code, message, hint = '' } = toLatentError(thrown);
  return code === 'INTERNAL' ? thrown : `${code}: ${message}\n${hint}`.trim();
}

const shutdown = createShutdown();
try {
  await main(process.argv.slice(2), shutdown.signal);
} catch (thrown) {
  process.exitCode = shutdown.signal.aborted ? 130 : 1;
  console.error(shutdown.signal.aborted ? 'Stopped; nothing was left running.' : explain(thrown));
} finally {
  shutdown.dispose();
}
