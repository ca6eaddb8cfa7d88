import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';

/** A registry of one image, of one layer, under the name `image:1` (OCI distribution, the part that pulling needs). */
export interface TestRegistry {
  /** `127.0.0.1:<port>` */
  readonly address: string;
  readonly digest: string;
  /** How often a manifest was asked for. */
  manifests(): number;
  close(): Promise<void>;
}

const manifestType = 'application/vnd.docker.distribution.manifest.v2+json';

export async function openTestRegistry(layer: Buffer): Promise<TestRegistry> {
  const blobs = new Map<string, Buffer>();
  const keep = (bytes: Buffer) => {
    const digest = digestOf(bytes);
    blobs.set(digest, bytes);
    return { digest, size: bytes.length };
  };
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';
  const config = Buffer.from(
    JSON.stringify({
      ...{ architecture, os: 'linux', config: { Env: ['PATH=/bin'], Entrypoint: ['/bin/false'], Cmd: ['/bin/false'] } },
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      ...{ schemaVersion: 2, mediaType: manifestType },
      config: { mediaType: 'application/vnd.docker.container.image.v1+json', ...keep(config) },
      layers: [{ mediaType: 'application/vnd.docker.image.rootfs.diff.tar', ...keep(layer) }],
    }),
  );
  const { digest } = keep(manifest);
  let manifests = 0;
  const server = createServer((request, response) => {
    const [, kind, name = ''] = /^\/v2\/image\/(manifests|blobs)\/(.+)$/.exec(request.url ?? '') ?? [];
    if (request.url === '/v2/') return answer(response, 200, 'application/json', Buffer.from('{}'));
    // The registry that takes a call and never answers it.
    if (request.url?.startsWith('/v2/silent/') === true) return;
    if (kind === 'manifests') manifests += 1;
    const found = kind === 'manifests' && name === '1' ? manifest : blobs.get(name);
    if (found === undefined) {
      const body = { errors: [{ code: 'MANIFEST_UNKNOWN', message: 'manifest unknown' }] };
      return answer(response, 404, 'application/json', Buffer.from(JSON.stringify(body)));
    }
    answer(response, 200, kind === 'manifests' ? manifestType : 'application/octet-stream', found);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const port = bound !== null && typeof bound === 'object' ? bound.port : 0;
  return {
    ...{ address: `127.0.0.1:${port}`, digest, manifests: () => manifests },
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function answer(response: ServerResponse, status: number, type: string, body: Buffer): void {
  response.writeHead(status, {
    ...{ 'Content-Type': type, 'Content-Length': body.length, 'Docker-Content-Digest': digestOf(body) },
    'Docker-Distribution-Api-Version': 'registry/2.0',
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
