import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { isSecretName, MASK } from './to-loggable.ts';

/** Where a value came from, the strongest first. */
export type ConfigSource = 'flag' | 'env' | 'file' | 'default';

export interface ConfigOrigin {
  readonly source: ConfigSource;
  /** How to name it to a person: `--port`, `APP_PORT`, the path of the file, or `default`. */
  readonly name: string;
}

export interface LoadConfigOptions<Schema extends z.ZodObject> {
  /** One field per setting. A field must accept text, as that is what flags and variables are: `z.coerce.number()`. */
  readonly schema: Schema;
  /** Parsed flags by field name; undefined means not given. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** Variables are named `<prefix>_<FIELD_NAME>`; empty ones count as not given. */
  readonly envPrefix: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A JSON object by field name. It may be missing, unless a flag or variable names it. */
  readonly file?: string;
  readonly fileRequired?: boolean;
}

export interface Config<Values> {
  readonly values: Values;
  readonly origins: ReadonlyMap<string, ConfigOrigin>;
  /** One line per setting, for printing; what is named like a secret is masked. */
  describe(): readonly string[];
}

/** Settings that cannot be used; one line per fault, each naming the setting and where its value came from. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[], cause?: unknown) {
    super(faults.join('\n'), cause === undefined ? undefined : { cause });
    this.faults = faults;
  }
}

/** The environment of this process, as it is now. The only place where it is read. */
export function processEnvironment(): Readonly<Record<string, string | undefined>> {
  // biome-ignore lint/style/noProcessEnv: everything else gets its settings from here
  return process.env;
}

/**
 * Gathers the settings of a program: a flag wins over a variable, a variable over the file, the file over the default.
 * @throws ConfigError naming every setting that does not fit, and every key of the file that is none
 */
export async function loadConfig<Schema extends z.ZodObject>(
  options: LoadConfigOptions<Schema>,
): Promise<Config<z.output<Schema>>> {
  const { schema, flags, envPrefix, env = processEnvironment() } = options;
  const fromFile = options.file === undefined ? {} : await readConfigFile(options.file, options.fileRequired ?? false);
  const names = Object.keys(schema.shape);
  const strange = Object.keys(fromFile).filter((key) => !names.includes(key));
  if (strange.length > 0) throw new ConfigError(strange.map((key) => `${key} (${options.file}): no such setting`));

  const given: Record<string, unknown> = {};
  const origins = new Map<string, ConfigOrigin>();
  for (const name of names) {
    const variable = `${envPrefix}_${toSnakeCase(name)}`;
    const candidates = [
      { value: flags[name], source: 'flag', name: `--${toSnakeCase(name).toLowerCase().replaceAll('_', '-')}` },
      { value: env[variable] === '' ? undefined : env[variable], source: 'env', name: variable },
      { value: fromFile[name], source: 'file', name: options.file ?? '' },
    ] as const;
    const chosen = candidates.find((candidate) => candidate.value !== undefined);
    if (chosen !== undefined) given[name] = chosen.value;
    origins.set(name, chosen === undefined ? { source: 'default', name: 'default' } : chosen);
  }

  const parsed = schema.safeParse(given);
  if (!parsed.success) throw toConfigError(parsed.error, origins);
  const values = new Map<string, unknown>(Object.entries(parsed.data));
  const describe = () => names.map((name) => `${name} = ${show(name, values.get(name))} (${origins.get(name)?.name})`);
  return { values: parsed.data, origins, describe };
}

async function readConfigFile(path: string, isRequired: boolean): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    if (isMissing && !isRequired) return {};
    throw new ConfigError([`${path}: ${isMissing ? 'there is no such file' : 'the file cannot be read'}`], cause);
  }
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(text));
  } catch (cause) {
    throw new ConfigError([`${path}: not a JSON object`], cause);
  }
}

function toConfigError(error: z.ZodError, origins: ReadonlyMap<string, ConfigOrigin>): ConfigError {
  const faults = error.issues.map((issue) => {
    const name = String(issue.path[0] ?? '');
    const origin = origins.get(name);
    const where = origin === undefined || origin.source === 'default' ? 'not given' : origin.name;
    return `${issue.path.map(String).join('.')} (${where}): ${issue.message}`;
  });
  return new ConfigError(faults, error);
}

function show(name: string, value: unknown): string {
  if (value === undefined) return 'none';
  if (isSecretName(name)) return MASK;
  return JSON.stringify(value, (key, part: unknown) => {
    if (isSecretName(key)) return MASK;
    return typeof part === 'bigint' ? part.toString() : part;
  });
}

function toSnakeCase(name: string): string {
  return name.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();
}
