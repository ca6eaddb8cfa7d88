import { LatentError } from '@latent/protocol';
import { z } from 'zod';
import { callEngine, type EngineAnswer, type EngineCall } from './call-engine.ts';
import { readAnswer } from './read-answer.ts';

/** How long the engine may take, in milliseconds. */
export interface EngineLimits {
  /** To say something. */
  readonly askMs: number;
  /** To make, start, end or remove a container. */
  readonly actMs: number;
  /** To come back and say how a job ended, before that counts as lost. */
  readonly lostMs: number;
  /** To fetch an image: without any progress, and in all. */
  readonly pullStallMs: number;
  readonly pullMs: number;
  /** Bytes that an image may have to be fetched, compressed, as far as the engine says so. */
  readonly pullBytes: number;
}

export const defaultEngineLimits: EngineLimits = {
  askMs: 10_000,
  actMs: 60_000,
  lostMs: 300_000,
  pullStallMs: 120_000,
  pullMs: 2 * 3_600_000,
  pullBytes: 64 * 2 ** 30,
};

/** An engine that answers, with what has to be known of it to use it. */
export interface Engine {
  readonly socketPath: string;
  readonly limits: EngineLimits;
  readonly kind: 'docker' | 'podman';
  readonly version: string;
  /** Its root is an ordinary user of the machine. */
  readonly rootless: boolean;
  /** It maps the users of containers to others unless it is told not to. */
  readonly remapsUsers: boolean;
  /** Limits that it cannot keep here, and would take no notice of. */
  readonly keepsNot: readonly string[];
  /** The path that a call to `path` has, with the version of the API that we speak. */
  at(path: string): string;
  ask(path: string, signal?: AbortSignal): Promise<EngineAnswer>;
  /** Never broken off by us before its limit: half of an act would be left to guess. */
  act(method: EngineCall['method'], path: string, body?: unknown, limitMs?: number): Promise<EngineAnswer>;
}

/** The newest version of the API whose changes we have read; an engine of a newer one is spoken to in this. */
const newestApi = '1.47';

const apiSchema = z.string().regex(/^\d{1,3}\.\d{1,3}$/);
const versionSchema = z.object({
  Version: z.string().max(100),
  ApiVersion: apiSchema,
  MinAPIVersion: apiSchema.optional(),
  Os: z.string().max(32).optional(),
  Components: z
    .array(z.object({ Name: z.string().max(200) }))
    .max(50)
    .nullish(),
});
const infoSchema = z.object({
  SecurityOptions: z.array(z.string().max(1000)).max(50).nullish(),
  Rootless: z.boolean().nullish(),
  CgroupVersion: z.string().max(16).nullish(),
  MemoryLimit: z.boolean().nullish(),
  PidsLimit: z.boolean().nullish(),
  CpuCfsQuota: z.boolean().nullish(),
});

/** @throws LatentError DRIVER_UNAVAILABLE, DRIVER_FAILED, CANCELLED */
export async function openEngine(socketPath: string, limits: EngineLimits, signal?: AbortSignal): Promise<Engine> {
  const get = (path: string) => callEngine(socketPath, { method: 'GET', path, limitMs: limits.askMs }, signal);
  const [version, info] = await Promise.all([
    get('/version').then((answer) => readAnswer(answer, versionSchema, 'say its version')),
    get('/info').then((answer) => readAnswer(answer, infoSchema, 'describe itself')),
  ]);
  if (version.Os !== undefined && version.Os !== 'linux') {
    throw new LatentError('DRIVER_UNAVAILABLE', 'The container engine does not run Linux containers.');
  }
  const api = spokenApi(version.ApiVersion, version.MinAPIVersion ?? '1.0');
  const options = info.SecurityOptions ?? [];
  const rootless = info.Rootless === true || options.some((option) => option.startsWith('name=rootless'));
  const at = (path: string) => `/v${api}${path}`;
  return {
    socketPath,
    limits,
    kind: version.Components?.some(({ Name }) => /podman/i.test(Name)) === true ? 'podman' : 'docker',
    version: version.Version,
    rootless,
    keepsNot: limitsNotKept(info, rootless),
    remapsUsers: options.some((option) => option.startsWith('name=userns')),
    at,
    ask: (path, stop) => callEngine(socketPath, { method: 'GET', path: at(path), limitMs: limits.askMs }, stop),
    act: (method, path, body, limitMs = limits.actMs) =>
      callEngine(socketPath, {
        ...{ method, path: at(path), limitMs },
        ...(body === undefined ? {} : { body }),
      }),
  };
}

function limitsNotKept(info: z.infer<typeof infoSchema>, rootless: boolean): readonly string[] {
  const kept = { memory: info.MemoryLimit, processes: info.PidsLimit, cpu: info.CpuCfsQuota };
  // In version 1 an ordinary user has no cgroups, whatever the kernel can do.
  if (rootless && info.CgroupVersion === '1') return Object.keys(kept);
  return Object.entries(kept).flatMap(([name, value]) => (value === false ? [name] : []));
}

function spokenApi(newest: string, oldest: string): string {
  if (compareApi(newest, newestApi) <= 0) return newest;
  return compareApi(oldest, newestApi) > 0 ? oldest : newestApi;
}

function compareApi(one: string, other: string): number {
  const [major = 0, minor = 0] = one.split('.').map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split('.').map(Number);
  return major - otherMajor || minor - otherMinor;
}
