import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { type TarEntry, tarArchive } from '../unpack/tar-archive.fixture.ts';

export interface SmallImage {
  readonly tag?: string;
  readonly layers: readonly (Buffer | readonly TarEntry[])[];
  readonly env?: readonly string[];
  readonly architecture?: string;
  /** Behind an index of several platforms, as most images are. */
  readonly indexed?: boolean;
  readonly mediaType?: string;
}

export interface SmallRegistry {
  /** `127.0.0.1:PORT/NAME` of the one repository that it has. */
  readonly repository: string;
  readonly port: number;
  /** `GET PATH` and its range, of each request. */
  readonly requests: string[];
  /** @returns digests of what a name leads to, and of the layers */
  readonly publish: (image: SmallImage) => { readonly digest: string; readonly layers: readonly string[] };
  /** Sees each request first; with true it has answered. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean;
  readonly blobs: Map<string, Buffer>;
  /** Anonymous callers have to fetch a token first. */
  wantsToken: boolean;
  readonly close: () => Promise<void>;
}

const architecture = process.arch === 'x64' ? 'amd64' : process.arch;

/** A registry at a loopback port that serves images as the distribution specification says, unless it is told otherwise. */
export async function openSmallRegistry(name = 'org/image'): Promise<SmallRegistry> {
  const blobs = new Map<string, Buffer>();
  const manifests = new Map<string, { readonly type: string; readonly body: Buffer }>();
  const requests: string[] = [];
  const server = createServer((request, response) => answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;

  function answer(request: IncomingMessage, response: ServerResponse): void {
    const range = request.headers.range;
    requests.push(`${request.method} ${request.url}${range === undefined ? '' : ` ${range}`}`);
    if (registry.intercept(request, response)) return;
    const url = new URL(request.url ?? '', `http://127.0.0.1:${port}`);
    if (url.pathname === '/token') {
      const isFor =
        url.searchParams.get('scope') === `repository:${name}:pull` && url.searchParams.get('service') === 's';
      response.writeHead(isFor ? 200 : 400).end(JSON.stringify({ token: 'anonymous' }));
      return;
    }
    if (registry.wantsToken && request.headers.authorization !== 'Bearer anonymous') {
      const challenge = `Bearer realm="http://127.0.0.1:${port}/token",service="s",scope="ignored"`;
      response.writeHead(401, { 'www-authenticate': challenge }).end();
      return;
    }
    const [, kind, wanted = ''] = new RegExp(`^/v2/${name}/(manifests|blobs)/(.+)$`).exec(url.pathname) ?? [];
    const manifest = kind === 'manifests' ? manifests.get(wanted) : undefined;
    const blob = kind === 'blobs' ? blobs.get(wanted) : undefined;
    if (manifest !== undefined) response.writeHead(200, { 'content-type': manifest.type }).end(manifest.body);
    else if (blob !== undefined) sendBlob(response, blob, range);
    else response.writeHead(404).end('{}');
  }

  function putManifest(type: string, value: unknown, tag?: string): string {
    const body = Buffer.from(JSON.stringify(value));
    const digest = digestOf(body);
    for (const key of [digest, ...(tag === undefined ? [] : [tag])]) manifests.set(key, { type, body });
    return digest;
  }

  function put(bytes: Buffer): { readonly digest: string; readonly size: number } {
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return { digest, size: bytes.length };
  }

  const registry: SmallRegistry = {
    repository: `127.0.0.1:${port}/${name}`,
    port,
    requests,
    blobs,
    wantsToken: false,
    intercept: () => false,
    publish(image) {
      const tag = image.tag ?? 'latest';
      const layers = image.layers.map((layer) => ({
        mediaType: image.mediaType ?? 'application/vnd.oci.image.layer.v1.tar+gzip',
        ...put(Buffer.isBuffer(layer) ? layer : gzipSync(tarArchive(layer))),
      }));
      const made = { os: 'linux', architecture: image.architecture ?? architecture };
      const config = put(Buffer.from(JSON.stringify({ ...made, config: { Env: image.env ?? null } })));
      const type = 'application/vnd.oci.image.manifest.v1+json';
      const manifest = {
        ...{ schemaVersion: 2, mediaType: type, layers },
        config: { mediaType: 'application/vnd.oci.image.config.v1+json', ...config },
      };
      const digest = putManifest(type, manifest, image.indexed === true ? undefined : tag);
      if (image.indexed === true) {
        const entry = (platform: object, of: string) => ({ mediaType: type, digest: of, size: 1, platform });
        const others = [entry({ os: 'linux', architecture: 's390x' }, digestOf(Buffer.from('other')))];
        const manifestList = { schemaVersion: 2, manifests: [...others, entry(made, digest)] };
        putManifest('application/vnd.oci.image.index.v1+json', manifestList, tag);
      }
      return { digest, layers: layers.map((layer) => layer.digest) };
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return registry;
}

function sendBlob(response: ServerResponse, blob: Buffer, range: string | undefined): void {
  const from = Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1] ?? 0);
  const headers = { 'content-length': blob.length - from };
  if (from === 0) response.writeHead(200, headers).end(blob);
  else {
    const contentRange = `bytes ${from}-${blob.length - 1}/${blob.length}`;
    response.writeHead(206, { ...headers, 'content-range': contentRange }).end(blob.subarray(from));
  }
}

export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
