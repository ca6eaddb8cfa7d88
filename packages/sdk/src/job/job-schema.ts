import { addressSchema, imageReferenceSchema } from '@latent/protocol';
import { z } from 'zod';
import type { DeviceRequirement, LatentSection } from './job.ts';
import { reservedVariables } from './job-environment.ts';
import { isRemoteSource, mountDestination } from './mount-destination.ts';

/**
 * Shape of a job file once unknown fields are gone. The message of an issue is what is expected there, as an end of
 * "found …, expected …"; an issue with `params.unsupported` is a value that SkyPilot knows and we do not honour.
 */

const maxEnvs = 256;
const maxEnvBytes = 32 * 1024;
const maxList = 64;

type Context = z.core.$RefinementCtx;

function refuse(context: Context, expected: string, path: PropertyKey[] = []): typeof z.NEVER {
  context.addIssue({ code: 'custom', message: expected, path });
  return z.NEVER;
}

function unsupported(context: Context, text: string, path: PropertyKey[] = []): typeof z.NEVER {
  context.addIssue({ code: 'custom', message: text, path, params: { unsupported: true } });
  return z.NEVER;
}

function textOf(expected: string, pattern: RegExp, maxLength: number) {
  return z.string(expected).max(maxLength, expected).regex(pattern, expected);
}

/** Digits of a decimal as an integer of 10^-places; undefined where it is no plain decimal or has more places. */
function decimalToInteger(text: string, places: number): bigint | undefined {
  const match = /^(\d{1,9})(?:\.(\d+))?$/.exec(text);
  const fraction = match?.[2] ?? '';
  if (match?.[1] === undefined || fraction.length > places) return undefined;
  return BigInt(match[1] + fraction.padEnd(places, '0'));
}

const nameText = 'letters and digits, parted by single dots, dashes or underscores, at most 63';
const nameSchema = textOf(nameText, /^[A-Za-z0-9]+(?:[._-]{1,2}[A-Za-z0-9]+)*$/, 63);
const machinesText = 'a whole number from 1 to 64';
const machinesSchema = z.int(machinesText).min(1, machinesText).max(64, machinesText);
const regionText = 'a region name of at most 32 letters, digits and dashes';
const regionSchema = textOf(regionText, /^[A-Za-z0-9][A-Za-z0-9_-]*$/, 32);
const regionsSchema = z.array(regionSchema, 'a list of region names').max(maxList, `at most ${maxList} regions`);

const cpusText = 'cores such as 4 or "4+"';
const cpusSchema = z.string(cpusText).transform((text, context) => {
  const thousandths = decimalToInteger(text.trim().replace(/\+$/, ''), 3);
  if (thousandths === undefined || thousandths <= 0n || thousandths > 4_096_000n) return refuse(context, cpusText);
  return Number(thousandths) / 1000;
});

const memoryUnitsInGib: Readonly<Record<string, number>> = { '': 1, mb: 1 / 1024, gb: 1, tb: 1024 };
const memoryText = 'GiB such as 16, "16+" or "512MB"';
const memorySchema = z.string(memoryText).transform((text, context) => {
  const match = /^([\d.]+)\s*(x|[a-z]*)\+?$/.exec(text.trim().toLowerCase());
  const unit = match?.[2] ?? '';
  if (unit === 'x') return unsupported(context, 'memory as a multiple of cpus: give it in GiB');
  const factor = memoryUnitsInGib[unit.replace(/^([mgt])(ib)?$/, '$1b')];
  const thousandths = decimalToInteger(match?.[1] ?? '', 3);
  if (factor === undefined || thousandths === undefined || thousandths <= 0n) return refuse(context, memoryText);
  const gib = (Number(thousandths) / 1000) * factor;
  return gib <= 65_536 ? gib : refuse(context, memoryText);
});

const modelPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,47}$/;
const acceleratorsText = 'a model with a count such as H100:8, or a list or map of them';

/** `H100:8`, `{H100: 8}`, `{H100:8, A100:8}`, `[H100:8, A100:8]`: pairs of a model and a count. */
function acceleratorPairs(value: unknown): { model: string; count: unknown }[] | undefined {
  if (typeof value === 'string') {
    const set = /^\{(.*)\}$/.exec(value.trim());
    if (set !== null) return acceleratorPairs((set[1] ?? '').split(',').map((part) => part.trim()));
    const [model = '', count = '1', ...rest] = value.split(':').map((part) => part.trim());
    return rest.length > 0 ? undefined : [{ model, count: /^\d+(\.\d+)?$/.test(count) ? Number(count) : count }];
  }
  if (Array.isArray(value)) {
    const pairs = value.map((item) => (typeof item === 'string' ? acceleratorPairs(item) : undefined));
    return pairs.some((pair) => pair === undefined) ? undefined : pairs.flatMap((pair) => pair ?? []);
  }
  if (typeof value !== 'object' || value === null) return undefined;
  return Object.entries(value).flatMap(([model, count]) =>
    count === null ? (acceleratorPairs(model) ?? []) : [{ model, count }],
  );
}

const acceleratorsSchema = z
  .unknown()
  .optional()
  .transform((value, context): DeviceRequirement => {
    if (value === undefined || value === null) return { kind: 'cpu', count: 1 };
    const pairs = acceleratorPairs(value);
    if (pairs === undefined || pairs.length === 0 || pairs.length > 16) return refuse(context, acceleratorsText);
    const counts = new Set<number>();
    for (const { model, count } of pairs) {
      if (!modelPattern.test(model) || typeof count !== 'number' || count <= 0)
        return refuse(context, acceleratorsText);
      if (!Number.isInteger(count)) return unsupported(context, 'a fraction of a device: give a whole number');
      if (count > 64) return refuse(context, 'at most 64 devices in a machine');
      counts.add(count);
    }
    const [count = 1, ...others] = counts;
    if (others.length > 0) return unsupported(context, 'models with different counts: give each the same count');
    return { kind: 'gpu', models: [...new Set(pairs.map(({ model }) => model))], count };
  });

/** `infra` and `cloud`: only ourselves. */
const infraSchema = z.string('latent').transform((text, context) => {
  if (text.toLowerCase() === 'latent') return text;
  return unsupported(context, 'another place than latent: remove it');
});

const spotText = 'true or false';
const spotSchema = z.boolean(spotText).transform((spot, context) => {
  return spot ? unsupported(context, 'spot machines: there is one kind of lease, remove it') : spot;
});

const imageText = 'docker: and an image as docker pull takes it, such as docker:ghcr.io/org/name:tag';
const imageSchema = z
  .unknown()
  .optional()
  .transform((value, context): string | undefined => {
    if (value === undefined) return undefined;
    if (typeof value === 'object') return unsupported(context, 'an image for each region: name one for all');
    if (typeof value !== 'string') return refuse(context, imageText);
    const reference = /^docker:(.*)$/s.exec(value)?.[1];
    if (reference === undefined) return unsupported(context, "another cloud's image: name one as docker:IMAGE");
    return imageReferenceSchema.safeParse(reference).success ? reference : refuse(context, imageText);
  });

const resourcesSchema = z
  .object(
    {
      accelerators: acceleratorsSchema,
      cpus: cpusSchema.optional(),
      memory: memorySchema.optional(),
      region: z.preprocess((value) => (typeof value === 'string' ? [value] : value), regionsSchema).optional(),
      infra: infraSchema.optional(),
      cloud: infraSchema.optional(),
      use_spot: spotSchema.optional(),
      image_id: imageSchema,
    },
    'a map of resources',
  )
  .prefault({});

const priceText = 'dollars for a device and hour with at most six decimals, such as 0.50 or "$0.50/h"';
const priceSchema = z.string(priceText).transform((text, context) => {
  const amount = /^\$?\s*([\d.]+)(?:\s*\/\s*(?:h|hr|hour))?$/.exec(text.trim())?.[1];
  const microdollars = amount === undefined ? undefined : decimalToInteger(amount, 6);
  return microdollars === undefined || microdollars <= 0n ? refuse(context, priceText) : microdollars;
});

const hoursText = 'hours above 0 and up to 8760 with at most four decimals, such as 1 or 0.5';
const hoursToSecondsDown = z.string(hoursText).transform((text, context) => {
  const tenThousandths = decimalToInteger(text.trim(), 4);
  const seconds = tenThousandths === undefined ? 0n : (tenThousandths * 3600n) / 10_000n;
  return seconds < 1n || seconds > 8760n * 3600n ? refuse(context, hoursText) : Number(seconds);
});

const outputText = "a path inside of the job's working folder, such as outputs/model.json";
const outputSchema = z.string(outputText).transform((text, context) => {
  const path = text.startsWith('~') ? undefined : mountDestination(text)?.replace(/\/$/, '');
  return path === undefined || path === '' || path.length > 1024 ? refuse(context, outputText) : path;
});

const operatorText = 'an operator address, 0x and 40 hex digits';
const operatorSchema = z.string(operatorText).transform((text, context) => {
  const address = addressSchema.safeParse(text);
  return address.success ? address.data : refuse(context, operatorText);
});

const sparesText = 'a whole number from 0 to 16';
const latentSchema = z
  .object(
    {
      price_cap: priceSchema.optional(),
      max_hours: hoursToSecondsDown.optional(),
      regions: regionsSchema.optional(),
      exclude_operators: z.array(operatorSchema, 'a list of operator addresses').max(1024).default([]),
      isolation: z.enum(['none', 'namespaces'], 'none or namespaces').default('none'),
      network: z.enum(['private', 'host'], 'private or host').optional(),
      outputs: z.array(outputSchema, 'a list of paths').max(maxList, `at most ${maxList} paths`).default([]),
      spares: z.int(sparesText).min(0, sparesText).max(16, sparesText).optional(),
    },
    'a map of our own keys',
  )
  .prefault({});

/** The section as `JobFile` carries it; regions go to the requirements. */
export function toLatentSection(section: z.output<typeof latentSchema>): LatentSection {
  return {
    priceCapMicrodollarsPerDeviceHour: section.price_cap ?? null,
    maxLeaseSeconds: section.max_hours ?? null,
    excludeOperators: section.exclude_operators,
    isolation: section.isolation,
    network: section.network ?? null,
    outputs: section.outputs,
    spares: section.spares ?? null,
  };
}

const workdirSchema = z.unknown().transform((value, context) => {
  if (typeof value === 'object' && value !== null) return unsupported(context, 'a git repository: clone it in setup');
  if (typeof value !== 'string' || value === '' || value.length > 4096) return refuse(context, 'a local folder');
  return isRemoteSource(value) ? unsupported(context, 'a workdir that is not on this disk') : value;
});

const fileMountsSchema = z
  .record(z.string(), z.unknown(), 'a map of destination: local path')
  .transform((mounts, context) => {
    const checked: { destination: string; source: string }[] = [];
    for (const [destination, source] of Object.entries(mounts)) {
      if (typeof source === 'object' && source !== null) {
        unsupported(context, 'a storage bucket: mount a local file or folder', [destination]);
      } else if (typeof source !== 'string' || source === '' || source.length > 4096) {
        refuse(context, 'a local file or folder', [destination]);
      } else if (isRemoteSource(source)) {
        unsupported(context, 'a source that is not on this disk: mount a local file or folder', [destination]);
      } else if (mountDestination(destination) === undefined) {
        unsupported(context, "a destination outside of the job's home: begin it with ~/ or make it relative", [
          destination,
        ]);
      } else checked.push({ destination, source });
    }
    return checked;
  })
  .refine((mounts) => mounts.length <= 256, 'at most 256 file mounts');

const envsSchema = z
  .record(z.string(), z.unknown(), 'a map of name: value')
  .transform((envs, context) => {
    const checked: Record<string, string | null> = {};
    for (const [name, value] of Object.entries(envs)) {
      if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name)) {
        refuse(context, 'a name of letters, digits and underscores that begins with no digit', [name]);
      } else if (reservedVariables.has(name)) refuse(context, 'another name: Latent sets this one itself', [name]);
      else if (value === null) checked[name] = null;
      else if (typeof value !== 'string' || value.length > maxEnvBytes || value.includes('\0')) {
        refuse(context, `text of at most ${maxEnvBytes} bytes, a number, true, false or null`, [name]);
      } else checked[name] = value;
    }
    return checked;
  })
  .refine((envs) => Object.keys(envs).length <= maxEnvs, `at most ${maxEnvs} variables`);

const scriptText = 'a shell script';
const scriptSchema = z
  .string(scriptText)
  .refine((script) => !script.includes('\0'), scriptText)
  .transform((script) => (script.trim() === '' ? undefined : script));

export const jobSchema = z
  .object(
    {
      name: nameSchema.optional(),
      num_nodes: machinesSchema.default(1),
      resources: resourcesSchema,
      workdir: workdirSchema.optional(),
      file_mounts: fileMountsSchema.default([]),
      envs: envsSchema.default({}),
      setup: scriptSchema.optional(),
      run: scriptSchema.optional(),
      config: z.object({ latent: latentSchema }, 'a map with the key latent').prefault({}),
    },
    'a map of the fields of a job',
  )
  .superRefine((job, context) => {
    if (job.run === undefined) unsupported(context, 'a job without a run script: add one', ['run']);
    if (job.resources.region !== undefined && job.config.latent.regions !== undefined) {
      refuse(context, 'no regions here, since resources.region is given', ['config', 'latent', 'regions']);
    }
  });
