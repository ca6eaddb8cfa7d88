import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { createServer } from 'node:http';
import { promisify } from 'node:util';

const run = promisify(execFile);
const LAYER = 'application/vnd.oci.image.layer.v1.tar';
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json';

export interface ImageRegistry {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
  /** Paths that were asked for. */
  readonly asked: string[];
  close(): Promise<void>;
}

/** A registry at a loopback port with one image, `HOST/NAME:TAG`, of these layers: tar archives, compressed by gzip or not. */
export async function serveImage(
  name: string,
  image: { readonly tag: string; readonly layers: readonly Buffer[]; readonly env: readonly string[] },
): Promise<ImageRegistry> {
  const served = new Map<string, Buffer>();
  const put = (bytes: Buffer, mediaType: string) => {
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    served.set(`/v2/${name}/blobs/${digest}`, bytes).set(`/v2/${name}/manifests/${digest}`, bytes);
    return { mediaType, digest, size: bytes.length };
  };
  const architecture = process.arch === 'x64' ? 'amd64' : process.arch;
  const configuration = { os: 'linux', architecture, config: { Env: image.env } };
  const config = put(Buffer.from(JSON.stringify(configuration)), 'application/vnd.oci.image.config.v1+json');
  const layers = image.layers.map((layer) => put(layer, `${LAYER}${layer.readUInt16BE(0) === 0x1f8b ? '+gzip' : ''}`));
  const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers }));
  put(manifest, MANIFEST);
  served.set(`/v2/${name}/manifests/${image.tag}`, manifest);
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const bytes = served.get(request.url ?? '');
    if (bytes === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': MANIFEST, 'content-length': bytes.length }).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    host: `127.0.0.1:${port}`,
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A layer that truly runs: these programs of this machine, with the libraries that they need, as a tar archive. */
export async function programsLayer(programs: readonly string[]): Promise<Buffer> {
  const libraries = await Promise.all(
    programs.map(async (path) => {
      const { stdout } = await run('ldd', [realpathSync(path)]);
      return [...stdout.matchAll(/(\/\S+)\s+\(0x/g)].flatMap(([, library]) => library ?? []);
    }),
  );
  const files = [...new Set([...programs, ...libraries.flat()])].map((path) => path.slice(1));
  const { stdout } = await run('tar', ['--create', '--dereference', '--directory=/', '--file=-', ...files], {
    encoding: 'buffer',
    maxBuffer: 1 << 30,
  });
  return stdout;
}
