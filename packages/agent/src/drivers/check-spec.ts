import { realpath, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { isAbsolute } from 'node:path';
import { imageReferenceSchema, LatentError } from '@latent/protocol';
import { z } from 'zod';
import type { ExecCommand, JobSpec } from './driver.ts';
import { isMissing } from './is-missing.ts';

/** Linux passes no single argument or variable longer than 128 KiB to a program. */
const maxValueChars = 100_000;
const maxScriptChars = 1_000_000;
const maxEnvChars = 1_000_000;

const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !value.includes('\0'), 'holds a NUL byte');

const envSchema = z
  .record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,255}$/, 'is not a variable name'), text(maxValueChars))
  .refine(
    (env) => Object.entries(env).reduce((sum, [name, value]) => sum + name.length + value.length, 0) <= maxEnvChars,
    `is larger than ${maxEnvChars} characters`,
  );

const folderSchema = text(1000).refine(isAbsolute, 'is not an absolute path');

/** More than a lease has members. */
const maxHosts = 8192;

const networkSchema = z.object({
  namespacePath: text(1000).refine(isAbsolute, 'is not an absolute path'),
  address: z.ipv4(),
  prefixLength: z.int().min(1).max(32),
  hosts: z.array(z.object({ name: z.string().regex(/^[a-z0-9.-]{1,253}$/), address: z.ipv4() })).max(maxHosts),
  nameserver: z.ipv4().exactOptional(),
});

const specSchema = z.object({
  jobId: z.string().regex(/^[a-z0-9-]{1,64}$/, 'is not of the form [a-z0-9-]{1,64}'),
  script: text(maxScriptChars),
  env: envSchema,
  workdir: folderSchema,
  stateDir: folderSchema,
  limits: z.object({
    memoryBytes: z.int().min(1 << 20),
    cpus: z.number().positive().max(100_000),
    processes: z.int().min(1).max(4_000_000),
  }),
  address: z.string().refine((value) => isIP(value) !== 0, 'is not an IP address'),
  toolchains: z.array(folderSchema.refine((path) => !path.includes(':'), 'holds a colon')).max(16),
  image: imageReferenceSchema.exactOptional(),
  imageDir: folderSchema.exactOptional(),
  network: networkSchema.exactOptional(),
});

const commandSchema = z.object({ argv: z.array(text(maxValueChars)).min(1).max(1000), env: envSchema });

/**
 * The spec with its folders resolved to real paths, after a check of everything that a hostile renter could have put in it.
 * @throws LatentError DRIVER_REFUSED naming the field.
 */
export async function checkSpec(spec: JobSpec): Promise<JobSpec> {
  const checked = parse(specSchema, spec, 'job');
  return {
    ...checked,
    workdir: await realFolder('workdir', checked.workdir),
    stateDir: await realFolder('stateDir', checked.stateDir),
    toolchains: await Promise.all(checked.toolchains.map((folder) => realFolder('toolchains', folder))),
  };
}

/** @throws LatentError DRIVER_REFUSED naming the field. */
export function checkCommand(command: ExecCommand): ExecCommand {
  return parse(commandSchema, command, 'command');
}

function parse<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue === undefined ? 'value' : issue.path.join('.').slice(0, 100);
  const reasons =
    issue?.code === 'invalid_key' ? issue.issues.map((inner) => inner.message).join(', ') : issue?.message;
  throw new LatentError('DRIVER_REFUSED', `The ${what} is malformed: ${field}: ${reasons ?? 'unknown reason'}.`, {
    details: { field },
    hint: 'Correct the field and submit the job again.',
  });
}

async function realFolder(field: string, path: string): Promise<string> {
  const refuse = (reason: string, cause?: unknown) =>
    new LatentError('DRIVER_REFUSED', `The folder ${field} of the job ${reason}: ${path}.`, {
      details: { field, path },
      cause,
    });
  try {
    const real = await realpath(path);
    if ((await stat(real)).isDirectory()) return real;
  } catch (error) {
    throw refuse(isMissing(error) ? 'does not exist' : 'cannot be read', error);
  }
  throw refuse('is not a folder');
}
