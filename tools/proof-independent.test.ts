import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Beacons,
  formatRecord,
  HEADER_BYTES,
  parameterSets,
  referenceKernel,
  runChallenge,
  verifyProof,
} from '@latent/proof';
import { createProver, openReferenceEngine } from '@latent/proof/provers';
import { nobleHash, toHex } from '@latent/proof/spec';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from './run-command.ts';

const python = spawnSync('python3', ['-c', 'import sys; sys.exit(sys.version_info < (3, 9))']).status === 0;
const scripts = join(import.meta.dirname, '..', 'packages', 'proof', 'independent');

const bytesOf = (text: string) => nobleHash(new TextEncoder().encode(text));
const context = bytesOf('independent');
const beacons: Beacons = {
  fill: bytesOf('f'),
  compute: bytesOf('c'),
  bandwidth: bytesOf('b'),
  sample: bytesOf('s'),
};
const beaconsInOrder = [beacons.fill, beacons.compute, beacons.bandwidth, beacons.sample];
const parameters = parameterSets.development;
const [LAYERS, COMPUTE_PASSES] = [4, 2];
const LAYERS_AT = 4 + 1 + 5 * 32;
/** State, chunk of the next state; the set's width makes one chunk of a state. */
const OPENING_BYTES = parameters.width / 2 + 128;

describe.skipIf(!python)(`the verifier and prover in Python${python ? '' : ' (needs python3 3.9)'}`, () => {
  let folder = '';
  let proof = new Uint8Array();
  let record = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'latent-independent-'));
    ({ proof, record } = await proveInTypeScript());
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const run = (script: string, ...args: readonly string[]) => runCommand('python3', [join(scripts, script), ...args]);

  /** @returns exit status, and the first word of what is printed */
  async function verifyInPython(content: Uint8Array | string, ...challenge: readonly string[]) {
    const path = join(folder, 'proof');
    await writeFile(path, content);
    const { exitCode, stdout, stderr } = await run('verify_proof.py', path, ...challenge);
    return { exitCode, said: stdout.split(':')[0], stderr };
  }
  const good = { exitCode: 0, said: 'good', stderr: '' };
  const refused = (code: string) => ({ exitCode: 1, said: code, stderr: '' });

  /** @param forged phase and state that zero bytes stand in for, as in `0:3` */
  async function proveInPython(...forged: readonly string[]) {
    const path = join(folder, 'made');
    const bytes = [context, ...beaconsInOrder].map(toHex);
    const numbers = [LAYERS, COMPUTE_PASSES, 3].map(String);
    const made = await run('prove_reference.py', path, parameters.name, ...bytes, ...numbers, ...forged);
    expect(made).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    return new Uint8Array(await readFile(path));
  }

  it('reproduce every known answer, the whole proof among them', async () => {
    const { exitCode, stdout } = await run('check_vectors.py');
    expect(stdout).toMatch(/^[1-9]\d* known answers right, 0 wrong\n$/);
    expect(exitCode).toBe(0);
  });

  it('take a proof made in TypeScript, as bytes and as a record', async () => {
    expect(await verifyInPython(proof)).toEqual(good);
    expect(await verifyInPython(record)).toEqual(good);
  });

  it.each([
    { name: 'the magic', at: 0, code: 'PROOF_MALFORMED' },
    { name: 'the set, which makes it `cpu`', at: 4, code: 'PROOF_WRONG_LENGTH' },
    { name: 'layers to an odd number', at: LAYERS_AT + 3, code: 'PROOF_MALFORMED' },
    { name: 'layers beyond the most', at: LAYERS_AT, code: 'PROOF_MALFORMED' },
    { name: 'passes beyond the most', at: LAYERS_AT + 4, code: 'PROOF_MALFORMED' },
    { name: 'the first byte of a state', at: HEADER_BYTES, code: 'PROOF_BAD_OPENING' },
    { name: 'the last byte of a chunk', at: HEADER_BYTES + OPENING_BYTES - 1, code: 'PROOF_BAD_OPENING' },
    { name: 'a sibling', at: HEADER_BYTES + parameters.samples * OPENING_BYTES + 32, code: 'PROOF_BAD_OPENING' },
    { name: 'the last byte', at: -1, code: 'PROOF_BAD_OPENING' },
  ])('refuse a proof after a change of one bit in $name', async ({ at, code }) => {
    const changed = proof.slice();
    changed.set([(proof.at(at) ?? 0) ^ 1], at < 0 ? proof.length + at : at);
    expect(await verifyInPython(changed)).toEqual(refused(code));
  });

  it('refuse a proof that is cut off, too long or far too long', async () => {
    const longer = (bytes: number) => Uint8Array.from({ length: bytes }, (_, index) => proof[index] ?? 0);
    expect(await verifyInPython(proof.slice(0, HEADER_BYTES - 1))).toEqual(refused('PROOF_MALFORMED'));
    expect(await verifyInPython(proof.slice(0, -1))).toEqual(refused('PROOF_WRONG_LENGTH'));
    expect(await verifyInPython(longer(proof.length + 1))).toEqual(refused('PROOF_WRONG_LENGTH'));
    expect(await verifyInPython(longer(2 ** 21))).toEqual(refused('PROOF_TOO_LARGE'));
  });

  it('hold a proof against the challenge that it has to answer', async () => {
    const challenge = [`context=${toHex(context)}`, `sample=${toHex(beacons.sample)}`, `set=${parameters.number}`];
    expect(await verifyInPython(proof, ...challenge, 'layers=4')).toEqual(good);
    expect(await verifyInPython(proof, ...challenge, 'layers=6')).toEqual(refused('PROOF_MISMATCH'));
    expect(await verifyInPython(proof, `compute=${toHex(beacons.fill)}`)).toEqual(refused('PROOF_MISMATCH'));
    expect(await verifyInPython(proof, `commitment1=${toHex(context)}`)).toEqual(refused('PROOF_MISMATCH'));
  });

  it('make a proof that TypeScript takes', async () => {
    const { header } = await verifyProof(referenceKernel, await proveInPython());
    expect(header).toMatchObject({ layers: LAYERS, passes: { compute: COMPUTE_PASSES, bandwidth: 3 } });
  });

  it.each([
    { what: 'inputs of compute', forged: '0:0', code: 'PROOF_WRONG_INPUT' },
    { what: 'inputs of bandwidth', forged: '1:0', code: 'PROOF_WRONG_INPUT' },
    { what: 'states of compute', forged: '0:3', code: 'PROOF_WRONG_ENTRY' },
    { what: 'states of bandwidth', forged: '1:1', code: 'PROOF_WRONG_ENTRY' },
  ])('refuse forged $what, as TypeScript does', async ({ forged, code }) => {
    const made = await proveInPython(forged);
    expect(await verifyInPython(made)).toEqual(refused(code));
    await expect(verifyProof(referenceKernel, made)).rejects.toMatchObject({ code });
  });
});

/** A proof by the reference engine, and its record. How many passes it makes follows from a clock that counts its own calls. */
async function proveInTypeScript() {
  const engine = openReferenceEngine();
  let calls = 0;
  const { proof } = await runChallenge({
    ...{ prover: createProver(engine, nobleHash), kernel: referenceKernel, parameters, context },
    ...{ drawBeacon: async (which: keyof Beacons) => beacons[which], nowMs: () => ++calls, layers: LAYERS },
    ...{ phaseMs: { compute: 3, bandwidth: 5 }, signal: new AbortController().signal },
  });
  await engine.close();
  if (proof === undefined) throw new Error('the reference does not prove');
  const device = { name: 'reference', class: 'cpu' as const, engine: 'reference' };
  const record = formatRecord({ device, observer: 'test', timesMs: { compute: 3, bandwidth: 5 }, proof });
  return { proof: new Uint8Array(proof), record };
}
