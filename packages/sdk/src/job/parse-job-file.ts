import { type ErrorCode, LatentError } from '@latent/protocol';
import type { z } from 'zod';
import type { JobFile } from './job.ts';
import { checkFields, type JobFileProblem } from './job-fields.ts';
import { jobSchema, toLatentSection } from './job-schema.ts';
import { type Located, locate, type Position, readYaml } from './located-yaml.ts';

const maxFileBytes = 256 * 1024;
const maxShownProblems = 12;

/**
 * Values whose digits count as they are written: `0.50` of a price, `3.10` of a variable, and an address, which YAML
 * would read as a number.
 */
const verbatimPaths = [
  /^envs\.[^.]*$/,
  /^resources\.(cpus|memory|region)(\.\d+)?$/,
  /^config\.latent\.(price_cap|max_hours)$/,
  /^config\.latent\.(exclude_operators|regions)\.\d+$/,
];

/**
 * Reads a SkyPilot task file. Each field that is not honoured is refused by name and place, never ignored; all problems
 * that can be seen at once are reported at once.
 *
 * @param fileName Only for messages.
 * @throws LatentError JOB_FILE_INVALID or JOB_FIELD_UNSUPPORTED, by the first problem of the file; details hold its
 *   `file`, `line` and `column` (1-based), its `field`, and all `problems`.
 */
export function parseJobFile(text: string, fileName: string): JobFile {
  const bytes = Buffer.byteLength(text);
  if (bytes > maxFileBytes) {
    const problem = `${bytes} bytes, more than the ${maxFileBytes} that a job file may have`;
    throw refusal(fileName, [{ at: { line: 1, column: 1 }, field: '', kind: 'invalid', text: problem }]);
  }
  const yaml = readYaml(text);
  if ('problems' in yaml) {
    const problems = yaml.problems.map(({ at, text, kind }): JobFileProblem => {
      if (kind === 'syntax') return { at, field: '', kind: 'invalid', text };
      return { at, field: '', kind: 'unsupported', text: 'several documents in one file: give each job its own file' };
    });
    throw refusal(fileName, problems);
  }
  const fieldProblems = checkFields(yaml.root);
  const parsed = jobSchema.safeParse(plain(yaml.root, ''));
  const valueProblems = parsed.success ? [] : parsed.error.issues.map((issue) => problemOf(issue, yaml.root));
  if (!parsed.success || fieldProblems.length > 0) throw refusal(fileName, [...fieldProblems, ...valueProblems]);
  return toJobFile(parsed.data, yaml.root, fileName);
}

function toJobFile(job: z.output<typeof jobSchema>, root: Located, fileName: string): JobFile {
  const { latent } = job.config;
  return {
    fileName,
    name: job.name ?? null,
    machines: job.num_nodes,
    requirements: {
      devices: job.resources.accelerators,
      minCpus: job.resources.cpus ?? null,
      minMemoryGib: job.resources.memory ?? null,
      regions: job.resources.region ?? latent.regions ?? [],
    },
    image: job.resources.image_id ?? null,
    workdir: job.workdir ?? null,
    fileMounts: job.file_mounts.map((mount) => ({ ...mount, ...locate(root, ['file_mounts', mount.destination]).key })),
    envs: job.envs,
    setup: job.setup ?? null,
    run: job.run ?? '',
    latent: toLatentSection(latent),
  };
}

/** Plain data for the schema. Fields that are null are absent, but a null variable or accelerator count means something. */
function plain(value: Located, path: string): unknown {
  switch (value.kind) {
    case 'scalar': {
      const isVerbatim = value.value !== null && verbatimPaths.some((pattern) => pattern.test(path));
      return isVerbatim ? value.source : value.value;
    }
    case 'list':
      return value.items.map((item, index) => plain(item, `${path}.${index}`));
    case 'map': {
      const keepsNull = path === 'envs' || path === 'resources.accelerators' || path === 'file_mounts';
      const entries = [...value.entries]
        .map(([name, entry]) => [name, plain(entry.value, path === '' ? name : `${path}.${name}`)] as const)
        .filter(([, entry]) => keepsNull || entry !== null);
      return Object.fromEntries(entries);
    }
  }
}

function problemOf(issue: z.core.$ZodIssue, root: Located): JobFileProblem {
  const { value, key } = locate(root, issue.path);
  const isUnsupported = issue.code === 'custom' && issue.params?.['unsupported'] === true;
  const found = issue.path.length > 0 && !exists(root, issue.path) ? 'nothing' : show(value);
  return {
    at: isUnsupported ? key : value.at,
    field: issue.path.map(String).join('.').slice(0, 120),
    kind: isUnsupported ? 'unsupported' : 'invalid',
    text: isUnsupported ? `not supported: ${issue.message}` : `found ${found}, expected ${issue.message}`,
  };
}

function exists(root: Located, path: readonly PropertyKey[]): boolean {
  const last = path.at(-1);
  const { value } = locate(root, path.slice(0, -1));
  if (value.kind === 'map') return typeof last === 'string' && value.entries.has(last);
  return value.kind === 'list' && typeof last === 'number' && last < value.items.length;
}

function show(value: Located): string {
  switch (value.kind) {
    case 'map':
      return `a map of ${value.entries.size}`;
    case 'list':
      return `a list of ${value.items.length}`;
    case 'scalar': {
      if (value.value === null) return 'nothing';
      const text = typeof value.value === 'string' ? JSON.stringify(value.value) : value.source;
      return text.length > 60 ? `${text.slice(0, 60)}…` : text;
    }
  }
}

function refusal(fileName: string, problems: readonly JobFileProblem[]): LatentError {
  const sorted = [...problems].sort((left, right) => comparePositions(left.at, right.at));
  const lines = sorted.map(
    ({ at, field, text }) => `${fileName}:${at.line}:${at.column}: ${field === '' ? '' : `${field}: `}${text}`,
  );
  const shown = lines.slice(0, maxShownProblems);
  const more = lines.length > shown.length ? [`and ${lines.length - shown.length} more`] : [];
  const first = sorted[0];
  const code: ErrorCode = first?.kind === 'unsupported' ? 'JOB_FIELD_UNSUPPORTED' : 'JOB_FILE_INVALID';
  return new LatentError(code, [...shown, ...more].join('\n'), {
    hint: 'Job files are SkyPilot task files; our own keys stand under config.latent.',
    details: {
      file: fileName,
      line: first?.at.line ?? 1,
      column: first?.at.column ?? 1,
      field: first?.field ?? '',
      problems: shown.map((line) => line.slice(0, 500)),
    },
  });
}

function comparePositions(left: Position, right: Position): number {
  return left.line - right.line || left.column - right.column;
}
