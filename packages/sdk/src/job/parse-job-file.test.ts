import { LatentError } from '@latent/protocol';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseJobFile } from './parse-job-file.ts';

function refusalOf(text: string): LatentError {
  try {
    parseJobFile(text, 'task.yaml');
  } catch (error) {
    if (error instanceof LatentError) return error;
    throw error;
  }
  throw new Error(`was not refused: ${text}`);
}

function placeOf(error: LatentError): string {
  return `${error.details['line']}:${error.details['column']}`;
}

const whole = `# a comment
name: resnet-ddp
num_nodes: 4
workdir: ./code
resources:
  accelerators: {H100: 8}
  cpus: 16+
  memory: 64GB+
  region: eu-west
  use_spot: false
  infra: latent
  image_id: docker:ghcr.io/org/train:1.2
file_mounts:
  ~/data: ../data
  configs/train.yaml: train.yaml
envs:
  LEARNING_RATE: 1e-4
  VERSION: 3.10
  DEBUG: true
  WANDB_API_KEY:
  EMPTY: ""
setup: |
  pip install -r requirements.txt
run: |
  torchrun train.py
config:
  latent:
    price_cap: 0.50
    max_hours: 1.5
    exclude_operators: [0x00000000000000000000000000000000000000aa]
    isolation: namespaces
    outputs: [outputs/model.json]
    spares: 2
`;

describe('a job file', () => {
  test('is read whole, with exact money and variables as they are written', () => {
    expect(parseJobFile(whole, 'task.yaml')).toEqual({
      fileName: 'task.yaml',
      name: 'resnet-ddp',
      machines: 4,
      requirements: {
        devices: { kind: 'gpu', models: ['H100'], count: 8 },
        minCpus: 16,
        minMemoryGib: 64,
        regions: ['eu-west'],
      },
      image: 'ghcr.io/org/train:1.2',
      workdir: './code',
      fileMounts: [
        { destination: '~/data', source: '../data', line: 14, column: 3 },
        { destination: 'configs/train.yaml', source: 'train.yaml', line: 15, column: 3 },
      ],
      envs: { LEARNING_RATE: '1e-4', VERSION: '3.10', DEBUG: 'true', WANDB_API_KEY: null, EMPTY: '' },
      setup: 'pip install -r requirements.txt\n',
      run: 'torchrun train.py\n',
      latent: {
        priceCapMicrodollarsPerDeviceHour: 500_000n,
        maxLeaseSeconds: 5400,
        excludeOperators: ['0x00000000000000000000000000000000000000AA'],
        isolation: 'namespaces',
        network: null,
        outputs: ['outputs/model.json'],
        spares: 2,
      },
    });
  });

  test('says which network the job is in, and knows no other', () => {
    const withNetwork = (value: string) => `run: x\nconfig:\n  latent:\n    network: ${value}`;
    expect(parseJobFile(withNetwork('private'), 'task.yaml').latent.network).toBe('private');
    expect(parseJobFile(withNetwork('host'), 'task.yaml').latent.network).toBe('host');
    expect(() => parseJobFile(withNetwork('bridge'), 'task.yaml')).toThrow(/expected private or host/);
  });

  test('needs nothing but a run script', () => {
    expect(parseJobFile('run: nvidia-smi', 'task.yaml')).toMatchObject({
      name: null,
      machines: 1,
      requirements: { devices: { kind: 'cpu', count: 1 }, minCpus: null, minMemoryGib: null, regions: [] },
      image: null,
      workdir: null,
      fileMounts: [],
      envs: {},
      setup: null,
      latent: { priceCapMicrodollarsPerDeviceHour: null, maxLeaseSeconds: null, isolation: 'none', outputs: [] },
    });
  });

  test.each([
    ['H100', ['H100'], 1],
    ['A100-80GB:2', ['A100-80GB'], 2],
    ['"H100:8"', ['H100'], 8],
    ['{H100: 4}', ['H100'], 4],
    ['{H100:4, A100:4}', ['H100', 'A100'], 4],
    ['"{H100:4, A100:4}"', ['H100', 'A100'], 4],
    ['[H100:4, A100:4]', ['H100', 'A100'], 4],
  ])('reads accelerators: %s', (written, models, count) => {
    const job = parseJobFile(`run: x\nresources:\n  accelerators: ${written}`, 'task.yaml');
    expect(job.requirements.devices).toEqual({ kind: 'gpu', models, count });
  });

  test.each([
    ['0.5', 500_000n],
    ['"$0.50/h"', 500_000n],
    ['$2 / hour', 2_000_000n],
    ['0.000001', 1n],
    ['12', 12_000_000n],
  ])('reads price_cap: %s without a float', (written, microdollars) => {
    const job = parseJobFile(`run: x\nconfig:\n  latent:\n    price_cap: ${written}`, 'task.yaml');
    expect(job.latent.priceCapMicrodollarsPerDeviceHour).toBe(microdollars);
  });

  test('reads anchors, aliases and merge keys, the own key winning', () => {
    const job = parseJobFile(
      'envs: &e {A: 1}\nrun: &r echo\nsetup: *r\nresources: {<<: {cpus: 2}, cpus: 3}',
      'task.yaml',
    );
    expect(job).toMatchObject({ envs: { A: '1' }, setup: 'echo', requirements: { minCpus: 3 } });
  });

  test('takes a null field as absent', () => {
    expect(parseJobFile('run: x\nresources:\n  ports: null\n  cpus:\nname:', 'task.yaml').name).toBeNull();
  });
});

describe('a field that is not honoured', () => {
  test.each([
    ['service', 'run: x\nservice:\n  readiness_probe: /', '2:1'],
    ['secrets', 'secrets: {HF_TOKEN: null}\nrun: x', '1:1'],
    ['resources.any_of', 'run: x\nresources:\n  any_of:\n    - cpus: 2', '3:3'],
    ['resources.ports', 'run: x\nresources: {ports: 8080}', '2:13'],
    ['resources.infra', 'run: x\nresources:\n  infra: aws/us-east-1', '3:3'],
    ['resources.cloud', 'run: x\nresources:\n  cloud: gcp', '3:3'],
    ['resources.use_spot', 'run: x\nresources:\n  use_spot: true', '3:3'],
    ['resources.accelerators', 'run: x\nresources:\n  accelerators: V100:0.5', '3:3'],
    ['resources.accelerators', 'run: x\nresources:\n  accelerators: [H100:8, A100:4]', '3:3'],
    ['resources.memory', 'run: x\nresources:\n  memory: 4x', '3:3'],
    ['resources.image_id', 'run: x\nresources:\n  image_id: skypilot:gpu-ubuntu-2004', '3:3'],
    ['resources.image_id', 'run: x\nresources:\n  image_id: ami-0868a20f5a3bf9702', '3:3'],
    ['resources.image_id', 'run: x\nresources:\n  image_id: {us-east-1: docker:python}', '3:3'],
    ['config.kubernetes', 'run: x\nconfig:\n  kubernetes: {namespace: a}', '3:3'],
    ['workdir', 'run: x\nworkdir: {url: https://example.org/a.git}', '2:1'],
    ['file_mounts./data', 'run: x\nfile_mounts:\n  /data: ./data', '3:3'],
    ['file_mounts.~/data', 'run: x\nfile_mounts:\n  ~/data: s3://bucket', '3:3'],
    ['file_mounts.~/store', 'run: x\nfile_mounts:\n  ~/store: {source: s3://bucket, mode: MOUNT}', '3:3'],
    ['run', 'name: cluster-only', '1:1'],
    ['', 'run: x\n---\nrun: y', '2:1'],
  ])('is refused by name and place: %s', (field, text, place) => {
    const error = refusalOf(text);
    expect(error.code).toBe('JOB_FIELD_UNSUPPORTED');
    expect(error.details['field']).toBe(field);
    expect(placeOf(error)).toBe(place);
    expect(error.message).toContain(`task.yaml:${place}: `);
  });

  test.each([
    ['num_node: 4\nrun: x', 'num_nodes', '1:1'],
    ['run: x\nresources:\n  accelerator: H100', 'accelerators', '3:3'],
    ['run: x\nconfig:\n  latnet: {}', 'latent', '3:3'],
    ['run: x\nconfig:\n  latent:\n    price-cap: 1', 'price_cap', '4:5'],
  ])('gets the nearest name suggested: %j', (text, nearest, place) => {
    const error = refusalOf(text);
    expect(error.code).toBe('JOB_FILE_INVALID');
    expect(error.message).toContain(`did you mean ${nearest}?`);
    expect(placeOf(error)).toBe(place);
  });
});

describe('a malformed job file', () => {
  test.each([
    ['a syntax error', 'name: a\nrun: "open', '2:11'],
    ['a tab for indentation', 'run: x\nresources:\n\tcpus: 2', '3:1'],
    ['a duplicate key', 'run: x\nname: a\nname: b', '3:1'],
    ['a duplicate variable', 'run: x\nenvs:\n  A: 1\n  A: 2', '4:3'],
    ['a wrong type', 'run: x\nnum_nodes: four', '2:12'],
    ['a count out of range', 'run: x\nnum_nodes: 65', '2:12'],
    ['a fraction of a machine', 'run: x\nnum_nodes: 1.5', '2:12'],
    ['a map where a script is due', 'run:\n  command: x', '2:3'],
    ['an exponent in a price', 'run: x\nconfig:\n  latent: {price_cap: 5e-1}', '3:23'],
    ['a price finer than a microdollar', 'run: x\nconfig:\n  latent:\n    price_cap: 0.0000001', '4:16'],
    ['an image with no name', 'run: x\nresources:\n  image_id: "docker:"', '3:13'],
    ['an image that is an address', 'run: x\nresources:\n  image_id: docker:https://ghcr.io/a', '3:13'],
    ['a number for an image', 'run: x\nresources:\n  image_id: 12', '3:13'],
    ['a price of zero', 'run: x\nconfig:\n  latent:\n    price_cap: 0.00', '4:16'],
    ['hours beyond a year', 'run: x\nconfig:\n  latent:\n    max_hours: 8761', '4:16'],
    ['an output that climbs out', 'run: x\nconfig:\n  latent:\n    outputs: [ok, ../../etc/passwd]', '4:19'],
    ['an absolute output', 'run: x\nconfig:\n  latent:\n    outputs: [/etc/passwd]', '4:15'],
    ['no operator address', 'run: x\nconfig:\n  latent:\n    exclude_operators: [0x12]', '4:25'],
    ['a variable that Latent sets', 'run: x\nenvs:\n  SKYPILOT_NODE_RANK: 3', '3:23'],
    ['a variable with a bad name', 'run: x\nenvs:\n  1A: 3', '3:7'],
    ['a list for a variable', 'run: x\nenvs:\n  A: [1]', '3:6'],
    ['an unknown tag', 'run: !shell x', '1:6'],
    ['an alias of nothing', 'run: *missing', '1:6'],
    ['a value inside of itself', 'envs: &a\n  A: *a\nrun: x', '2:6'],
    ['a list as the whole', '- run: x', '1:1'],
    ['regions given twice', 'run: x\nresources: {region: a}\nconfig: {latent: {regions: [b]}}', '3:28'],
  ])('is refused with its place: %s', (_, text, place) => {
    const error = refusalOf(text);
    expect(error.code).toBe('JOB_FILE_INVALID');
    expect(`${placeOf(error)} ${error.message}`).toContain(`${place} task.yaml:${place}: `);
  });

  test('says what was found and what is expected', () => {
    expect(refusalOf('run: x\nnum_nodes: four').message).toBe(
      'task.yaml:2:12: num_nodes: found "four", expected a whole number from 1 to 64',
    );
  });

  test('has all of its problems reported at once, in their order', () => {
    const error = refusalOf('num_nodes: 0\nservice: {}\nnmae: a\nresources:\n  cpus: many\n  ports: 1\nrun: x');
    expect(error.message.split('\n').map((line) => line.split(' ')[0])).toEqual([
      'task.yaml:1:12:',
      'task.yaml:2:1:',
      'task.yaml:3:1:',
      'task.yaml:5:9:',
      'task.yaml:6:3:',
    ]);
    expect(error.code).toBe('JOB_FILE_INVALID');
  });

  test.each([
    ['aliases that multiply', aliasBomb()],
    ['merge keys that multiply', `${mergeBomb()}\nrun: x`],
    ['deep nesting', `run: ${'['.repeat(200)}`],
    ['very deep nesting', '['.repeat(200_000)],
    ['too many bytes', `run: ${'x'.repeat(256 * 1024)}`],
    ['__proto__ as a variable', 'run: x\nenvs:\n  __proto__: 1'],
  ])('is bounded: %s', (_, text) => {
    expect(refusalOf(text).code).toBe('JOB_FILE_INVALID');
  });

  test('never throws anything but a LatentError that fits its wire form, whatever the text', {
    timeout: 60_000,
  }, () => {
    const fragments = fc.constantFrom(
      ...[
        'run',
        'envs',
        'resources',
        'config',
        'latent',
        'file_mounts',
        'price_cap',
        'accelerators',
        '__proto__',
        '<<',
      ],
      ...[
        ':',
        ': ',
        '\n',
        '\n  ',
        '- ',
        '{',
        '}',
        '[',
        ']',
        '&a ',
        '*a',
        '!!str ',
        '|\n',
        '"',
        "'",
        '#',
        '? ',
        '---\n',
        '0x1',
        '\t',
      ],
    );
    const garbage = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 200 }),
      fc.array(fc.oneof(fragments, fc.string({ maxLength: 5 })), { maxLength: 60 }).map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(garbage, (text) => {
        try {
          parseJobFile(text, 'task.yaml');
        } catch (error) {
          if (!(error instanceof LatentError)) throw error;
          expect(error.code).toMatch(/^JOB_FI/);
          expect(error.toBody().message).not.toBe('');
        }
      }),
      { numRuns: 1000 },
    );
  });
});

function aliasBomb(): string {
  const levels = ['l0: &l0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let level = 1; level < 9; level += 1) {
    levels.push(`l${level}: &l${level} [${Array.from({ length: 10 }, () => `*l${level - 1}`).join(', ')}]`);
  }
  return levels.join('\n');
}

function mergeBomb(): string {
  const wide = Array.from({ length: 5000 }, (_, index) => `k${index}: 1`).join(', ');
  return `a: &a {${wide}}\n${Array.from({ length: 5000 }, (_, index) => `b${index}: {<<: *a}`).join('\n')}`;
}
