/**
 * Measures a GPU through the `cuda` engine, after it has shown that its bytes are right. It is packed by `pack.ts` and runs where there
 * is nothing but NVIDIA's driver: it prints its progress on standard error and the result, JSON, on standard output.
 *
 *     measure [--device N] [--libraries PATH] [--layers L] [--set NAME] [--skip-full]
 */
import { readFile } from 'node:fs/promises';
import { cpus, release, type as system } from 'node:os';
import { parseArgs } from 'node:util';
import { loadKernel, type ParameterSetName, parameterSets } from '@latent/proof';
import { listCudaDevices } from '@latent/proof/provers';
import { toLatentError } from '@latent/protocol';
import { checkBytes } from './check-bytes.ts';
import { measureChallenge } from './measure-challenge.ts';
import { measureKernels } from './measure-kernels.ts';

const { values } = parseArgs({
  options: {
    device: { type: 'string', default: '0' },
    libraries: { type: 'string' },
    layers: { type: 'string' },
    set: { type: 'string', default: 'production' },
    'skip-full': { type: 'boolean', default: false },
  },
});

const library = values.libraries === undefined ? {} : { libraries: [values.libraries] };
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
const say = (text: string) => process.stderr.write(`${(performance.now() / 1000).toFixed(1)} s  ${text}\n`);

process.exit(await measure().catch(failed));

/** @returns 0 if the bytes are right, else 1 */
async function measure(): Promise<number> {
  const parameters = parameterSets[setName(values.set)];
  const devices = await listCudaDevices(library);
  const [device] = devices.filter(({ index }) => index === Number(values.device));
  if (device === undefined) throw new Error(`there is no device ${values.device}; there are ${devices.length}`);
  say(`${device.name}, ${device.uuid}`);

  const options = { ...library, device: device.index };
  const kernel = await loadKernel();
  const layers = values.layers === undefined ? {} : { layers: Number(values.layers) };
  const common = { options, kernel, parameters, ...layers, signal: stop.signal, say };

  const bytes = await checkBytes(options, kernel.hash, say);
  const kernels = await measureKernels(common, device);
  const short = await measureChallenge({ ...common, scored: false });
  const full = values['skip-full'] ? null : await measureChallenge({ ...common, scored: true });

  const result = {
    date: new Date().toISOString(),
    commit: await readFile(new URL('../../../commit', import.meta.url), 'utf8').catch(() => null),
    machine: { cpu: cpus()[0]?.model.trim() ?? 'unknown', kernel: `${system()} ${release()}`, node: process.version },
    device,
    set: parameters.name,
    bytes,
    kernels,
    short,
    full,
  };
  process.stdout.write(
    `${JSON.stringify(result, (_, value) => (typeof value === 'bigint' ? Number(value) : value), 2)}\n`,
  );
  return bytes.every(({ equal }) => equal) ? 0 : 1;
}

function failed(thrown: unknown): number {
  const { code, message, hint, details } = toLatentError(thrown);
  say(`${code}: ${message} ${hint ?? ''} ${JSON.stringify(details)}`);
  return 2;
}

function setName(name: string): ParameterSetName {
  if (name === 'production' || name === 'cpu' || name === 'development') return name;
  throw new Error(`no set ${name}`);
}
