import { createHash } from 'node:crypto';
import { LatentError } from '@latent/protocol';
import { z } from 'zod';
import type { ImageName } from '../parse-image-name.ts';
import { parseJson, type Registry } from './open-registry.ts';
import { readBody } from './read-body.ts';

const MAX_MANIFEST_BYTES = 4 * 1024 * 1024;
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
const MAX_LAYERS = 256;

const digestSchema = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'is no sha256 digest');
const sizeSchema = z
  .int()
  .min(0)
  .max(2 ** 44);
const descriptorSchema = z.object({ mediaType: z.string().max(255), digest: digestSchema, size: sizeSchema });
export type Descriptor = z.infer<typeof descriptorSchema>;

const manifestSchema = z.object({
  schemaVersion: z.literal(2),
  config: descriptorSchema,
  layers: z.array(descriptorSchema).max(MAX_LAYERS),
});

const indexSchema = z.object({
  schemaVersion: z.literal(2),
  manifests: z
    .array(
      descriptorSchema.extend({
        platform: z
          .object({ os: z.string().max(64), architecture: z.string().max(64), variant: z.string().max(64).optional() })
          .optional(),
      }),
    )
    .max(1024),
});

const configSchema = z.object({
  os: z.string().max(64),
  architecture: z.string().max(64),
  config: z.object({ Env: z.array(z.string().max(32_768)).max(512).nullish() }).nullish(),
});

const accept = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ');

/** How registries name what Node names otherwise. */
const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export interface ImageManifest {
  /** Of the manifest for this machine's platform: names every byte of the image. */
  readonly digest: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/**
 * The manifest of an image for this machine. All that is read was hashed: by the name's digest, or from what its tag leads to.
 * @throws LatentError IMAGE_NOT_FOUND, IMAGE_INVALID, IMAGE_UNREACHABLE, NOT_ALLOWED, CANCELLED
 */
export async function readManifest(registry: Registry, name: ImageName, signal: AbortSignal): Promise<ImageManifest> {
  const first = await fetchJson(registry, { name, at: name.digest ?? name.tag, digest: name.digest }, signal);
  const index = indexSchema.safeParse(first.value);
  if (!index.success) return imageManifest(first, name);
  const architecture = architectures[process.arch] ?? process.arch;
  const chosen = index.data.manifests.find(
    ({ platform }) => platform?.os === 'linux' && platform.architecture === architecture,
  );
  if (chosen === undefined) throw otherPlatform(name, architecture);
  const { digest } = chosen;
  return imageManifest(await fetchJson(registry, { name, at: digest, digest }, signal), name);
}

/**
 * The variables that the image sets. @throws those of `readManifest`
 */
export async function readConfig(
  registry: Registry,
  of: { readonly name: ImageName; readonly config: Descriptor },
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  const { name, config } = of;
  if (config.size > MAX_CONFIG_BYTES) throw invalid(name, `its configuration is of ${config.size} bytes`);
  const url = registry.url(`blobs/${config.digest}`);
  const answer = await registry.get(`blobs/${config.digest}`, {}, signal);
  const body = await readBody(answer, { url, maxBytes: config.size, signal });
  if (digestOf(body) !== config.digest) throw invalid(name, 'its configuration is not what its digest says');
  const parsed = configSchema.safeParse(parseJson(body));
  if (!parsed.success) throw invalid(name, 'its configuration is malformed');
  const architecture = architectures[process.arch] ?? process.arch;
  if (parsed.data.os !== 'linux' || parsed.data.architecture !== architecture) throw otherPlatform(name, architecture);
  const pairs = (parsed.data.config?.Env ?? []).flatMap((line): [string, string][] => {
    const [, key, value] = /^([A-Za-z_][A-Za-z0-9_]{0,127})=([^\0]*)$/s.exec(line) ?? [];
    return key === undefined || value === undefined ? [] : [[key, value]];
  });
  return Object.fromEntries(pairs);
}

interface Fetched {
  readonly digest: string;
  readonly value: unknown;
}

async function fetchJson(
  registry: Registry,
  wanted: { readonly name: ImageName; readonly at: string; readonly digest: string | undefined },
  signal: AbortSignal,
): Promise<Fetched> {
  const path = `manifests/${wanted.at}`;
  const answer = await registry.get(path, { accept }, signal);
  const body = await readBody(answer, { url: registry.url(path), maxBytes: MAX_MANIFEST_BYTES, signal });
  const digest = digestOf(body);
  if (wanted.digest !== undefined && digest !== wanted.digest) {
    throw invalid(wanted.name, `its manifest is not ${wanted.digest}, but ${digest}`);
  }
  return { digest, value: parseJson(body) };
}

function imageManifest({ digest, value }: Fetched, name: ImageName): ImageManifest {
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) throw invalid(name, 'its manifest is none of an image');
  const { config, layers } = parsed.data;
  for (const { mediaType } of layers) {
    if (layerCompression(mediaType) === undefined) throw invalid(name, `a layer is ${mediaType.slice(0, 100)}`);
  }
  return { digest, config, layers };
}

export type Compression = 'none' | 'gzip' | 'zstd';

/** Undefined for what is no layer, or one that lies elsewhere. */
export function layerCompression(mediaType: string): Compression | undefined {
  switch (mediaType) {
    case 'application/vnd.oci.image.layer.v1.tar':
    case 'application/vnd.docker.image.rootfs.diff.tar':
      return 'none';
    case 'application/vnd.oci.image.layer.v1.tar+gzip':
    case 'application/vnd.docker.image.rootfs.diff.tar.gzip':
      return 'gzip';
    case 'application/vnd.oci.image.layer.v1.tar+zstd':
    case 'application/vnd.docker.image.rootfs.diff.tar.zstd':
      return 'zstd';
    default:
      return undefined;
  }
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

function otherPlatform(name: ImageName, architecture: string): LatentError {
  return invalid(name, `it is not for machines of linux/${architecture}`);
}

function invalid(name: ImageName, reason: string): LatentError {
  return new LatentError('IMAGE_INVALID', `The image ${name.written} cannot be used: ${reason}.`, {
    details: { image: name.written },
    hint: 'Publish the image anew, or use another one.',
  });
}
