import { createCipheriv } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { systemClock } from '@latent/kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type ImageStoreOptions, openImageStore } from './image-store.ts';
import { digestOf, openSmallRegistry, type SmallRegistry } from './registry/small-registry.fixture.ts';
import { tarArchive } from './unpack/tar-archive.fixture.ts';

let folder: string;
let registry: SmallRegistry;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latent-images-'));
  registry = await openSmallRegistry();
});
afterEach(async () => {
  await registry.close();
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
});

const openStore = (change: Partial<ImageStoreOptions> = {}) =>
  openImageStore({
    folder: join(folder, 'images'),
    jobs: join(folder, 'jobs'),
    maxBytes: 1 << 30,
    access: 'owner',
    allowLocal: true,
    clock: systemClock,
    ...change,
  });

const lease = (name: string) => ({ folder: join(folder, 'jobs', name, 'image'), signal: AbortSignal.timeout(60_000) });
const hex = (digest: string) => digest.slice('sha256:'.length);
const blobFile = (digest: string, end = '') => join(folder, 'images', 'blobs', `${hex(digest)}${end}`);
const trees = () => readdir(join(folder, 'images', 'trees'));
/** Bytes that no compression makes smaller. */
const noise = (bytes: number) =>
  createCipheriv('aes-128-ctr', Buffer.alloc(16), Buffer.alloc(16)).update(Buffer.alloc(bytes));

describe('an image', () => {
  test.each([
    ['alone', { indexed: false, token: false }],
    ['behind an index of platforms and a token', { indexed: true, token: true }],
  ])('is pulled and unpacked, its layers over each other: %s', async (_, { indexed, token }) => {
    registry.wantsToken = token;
    const { digest } = registry.publish({
      tag: 'v1',
      layers: [
        [
          { name: 'a', content: '1' },
          { name: 'b', content: '1' },
        ],
        [{ name: '.wh.a' }, { name: 'b', content: '2' }],
      ],
      env: ['PATH=/opt/bin:/bin', 'EMPTY=', 'no name=x', 'MULTI=a=b'],
      indexed,
    });
    const store = await openStore();
    const seen: number[] = [];
    const tree = await store.prepare(`${registry.repository}:v1`, {
      ...lease('one'),
      onProgress: ({ doneBytes, totalBytes }) => seen.push(doneBytes / totalBytes),
    });
    expect(tree.digest).toBe(digest);
    expect(tree.env).toEqual({ PATH: '/opt/bin:/bin', EMPTY: '', MULTI: 'a=b' });
    expect(await readdir(tree.root)).toEqual(['b']);
    expect(await readFile(join(tree.root, 'b'), 'utf8')).toBe('2');
    expect(seen.at(-1)).toBe(1);
  });

  test('is not fetched again, and by its digest not even asked for', async () => {
    const { digest } = registry.publish({ layers: [[{ name: 'a', content: '1' }]] });
    await (await openStore()).prepare(registry.repository, lease('one'));
    const before = registry.requests.length;
    const store = await openStore();
    await store.prepare(registry.repository, lease('two'));
    expect(registry.requests.slice(before)).toEqual([`GET /v2/org/image/manifests/latest`]);
    await store.prepare(`${registry.repository}@${digest}`, lease('three'));
    expect(registry.requests).toHaveLength(before + 1);
  });

  test('stays what it was for the later steps of a job, though its tag has moved on', async () => {
    const first = registry.publish({ layers: [[{ name: 'a', content: '1' }]] });
    const store = await openStore();
    await store.prepare(registry.repository, lease('one'));
    registry.publish({ layers: [[{ name: 'a', content: '2' }]] });
    expect((await store.prepare(registry.repository, lease('one'))).digest).toBe(first.digest);
    expect((await store.prepare(registry.repository, lease('two'))).digest).not.toBe(first.digest);
  });

  test('that two leases want is pulled once, and goes on when the first one leaves', async () => {
    const { layers } = registry.publish({ layers: [[{ name: 'a', content: noise(100_000) }]] });
    const bytes = registry.blobs.get(layers[0] ?? '') ?? Buffer.alloc(0);
    const asked = Promise.withResolvers<ServerResponse>();
    registry.intercept = (request, response) => {
      if (!request.url?.endsWith(layers[0] ?? '-')) return false;
      asked.resolve(response.writeHead(200, { 'content-length': bytes.length }));
      return true;
    };
    const store = await openStore();
    const leaves = new AbortController();
    const first = store.prepare(registry.repository, { ...lease('one'), signal: leaves.signal });
    const response = await asked.promise;
    let seen = 0;
    const second = store.prepare(registry.repository, { ...lease('two'), onProgress: () => (seen += 1) });
    let sent = 0;
    for (; seen === 0 && sent < bytes.length - 1; sent += 1) {
      response.write(bytes.subarray(sent, sent + 1));
      await new Promise(setImmediate);
    }
    leaves.abort();
    await expect(first).rejects.toMatchObject({ code: 'CANCELLED' });
    const third = store.prepare(registry.repository, lease('three'));
    response.end(bytes.subarray(sent));
    expect((await second).digest).toBe((await third).digest);
    expect(registry.requests.filter((line) => line.includes(layers[0] ?? '-'))).toHaveLength(1);
  });

  test('is given up when nobody waits for it any more; what came of it is kept', async () => {
    const bytes = gzipSync(tarArchive([{ name: 'a', content: noise(300_000) }]), { level: 0 });
    const { layers } = registry.publish({ layers: [bytes] });
    const [layer = ''] = layers;
    registry.intercept = (request, response) => {
      if (!request.url?.endsWith(layer) || request.headers.range !== undefined) return false;
      response.writeHead(200, { 'content-length': bytes.length }).write(bytes.subarray(0, 100_000));
      return true;
    };
    const store = await openStore();
    const stop = new AbortController();
    const onProgress = ({ doneBytes }: { doneBytes: number }) => {
      if (doneBytes >= 100_000) stop.abort();
    };
    const pull = store.prepare(registry.repository, { ...lease('one'), signal: stop.signal, onProgress });
    await expect(pull).rejects.toMatchObject({ code: 'CANCELLED' });
    // A second life of the agent goes on with what the first one left.
    await (await openStore()).prepare(registry.repository, lease('one'));
    expect(registry.requests.at(-1)).toMatch(/ bytes=100000-$/);
    expect(await trees()).toHaveLength(1);
  });
});

describe('a bad connection', () => {
  test('that breaks again and again is taken up where it broke', async () => {
    const bytes = gzipSync(tarArchive([{ name: 'a', content: noise(200_000) }]), { level: 0 });
    const [layer = ''] = registry.publish({ layers: [bytes] }).layers;
    const ranges: string[] = [];
    registry.intercept = (request, response) => {
      if (!request.url?.endsWith(layer)) return false;
      const from = Number(/\d+/.exec(request.headers.range ?? '0')?.[0]);
      ranges.push(request.headers.range ?? 'whole');
      const to = Math.min(from + 50_000, bytes.length);
      const headers = { 'content-length': bytes.length - from, 'content-range': `bytes ${from}-${bytes.length - 1}/*` };
      response.writeHead(from === 0 ? 200 : 206, headers);
      response.write(bytes.subarray(from, to), () => response.socket?.end());
      return true;
    };
    const tree = await (await openStore()).prepare(registry.repository, lease('one'));
    expect((await stat(join(tree.root, 'a'))).size).toBe(200_000);
    expect(ranges.slice(0, 3)).toEqual(['whole', 'bytes=50000-', 'bytes=100000-']);
  });

  test('to a registry that does not go on from the middle begins anew', async () => {
    const bytes = gzipSync(tarArchive([{ name: 'a', content: noise(100_000) }]), { level: 0 });
    const [layer = ''] = registry.publish({ layers: [bytes] }).layers;
    await openStore();
    await writeFile(blobFile(layer, '.part'), bytes.subarray(0, 777));
    registry.intercept = (request, response) => {
      if (!request.url?.endsWith(layer)) return false;
      response.end(bytes);
      return true;
    };
    await (await openStore()).prepare(registry.repository, lease('one'));
    expect(digestOf(await readFile(blobFile(layer)))).toBe(layer);
  });

  test.each([
    ['hangs before it answers', () => true],
    [
      'refuses for now',
      (_: unknown, response: { writeHead: (status: number) => { end: () => void } }) => {
        response.writeHead(429).end();
        return true;
      },
    ],
  ] as const)('to a registry that %s is given up with its own code', async (_, intercept) => {
    registry.intercept = intercept;
    const store = await openStore({ idleMs: 200 });
    await expect(store.prepare(registry.repository, lease('one'))).rejects.toMatchObject({
      code: 'IMAGE_UNREACHABLE',
      retry: 'later',
    });
  });

  test('on which nothing comes any more, in the middle of a layer, is given up too', async () => {
    const clock = { ...systemClock, sleep: async () => undefined };
    const [layer = ''] = registry.publish({ layers: [[{ name: 'a', content: noise(1000) }]] }).layers;
    registry.intercept = (request, response) => {
      if (!request.url?.endsWith(layer)) return false;
      response.writeHead(200, { 'content-length': 100_000 }).flushHeaders();
      return true;
    };
    const store = await openStore({ idleMs: 100, clock });
    await expect(store.prepare(registry.repository, lease('one'))).rejects.toMatchObject({ code: 'IMAGE_UNREACHABLE' });
    expect(registry.requests.filter((line) => line.includes(layer)).length).toBeGreaterThan(1);
    expect(await trees()).toEqual([]);
  });
});

describe('a registry that lies', () => {
  const prepare = async () => (await openStore()).prepare(registry.repository, lease('one'));
  const twist = (digest: string, bytes: Buffer) => registry.blobs.set(digest, bytes);

  test('about a layer is found out, and nothing of it is kept', async () => {
    const [layer = ''] = registry.publish({ layers: [[{ name: 'a', content: 'good' }]] }).layers;
    const good = registry.blobs.get(layer);
    const evil = Buffer.from(good ?? '');
    evil[20] = (evil[20] ?? 0) ^ 1;
    twist(layer, evil);
    await expect(prepare()).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
    expect(await readdir(join(folder, 'images', 'blobs'))).toEqual([]);
    expect(await trees()).toEqual([]);
    twist(layer, good ?? evil);
    expect(await readdir((await prepare()).root)).toEqual(['a']);
  });

  test('about the length of a layer is cut off where it should have ended', async () => {
    const [layer = ''] = registry.publish({ layers: [[{ name: 'a', content: 'good' }]] }).layers;
    let sent = 0;
    registry.intercept = (request, response) => {
      if (!request.url?.endsWith(layer)) return false;
      const more = () => {
        if (response.destroyed) return;
        sent += 65_536;
        response.write(Buffer.alloc(65_536), more);
      };
      more();
      return true;
    };
    await expect(prepare()).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
    expect(sent).toBeLessThan(64 << 20);
    expect(await readdir(join(folder, 'images', 'blobs'))).not.toContain(hex(layer));
  });

  test('about a manifest that was asked for by digest is found out', async () => {
    const { digest } = registry.publish({ layers: [[]] });
    registry.intercept = (_, response) => {
      response.end(JSON.stringify({ schemaVersion: 2, layers: [] }));
      return true;
    };
    const pull = (await openStore()).prepare(`${registry.repository}@${digest}`, lease('one'));
    await expect(pull).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
  });

  test.each([
    ['is no JSON', 'hello'],
    ['is of an old schema', JSON.stringify({ schemaVersion: 1 })],
    ['names a path for a digest', JSON.stringify(manifestWith('sha256:../../../etc/passwd'))],
    [
      'has a thousand layers',
      JSON.stringify({ ...manifestWith(digestOf(Buffer.from(''))), layers: Array(1000).fill({}) }),
    ],
    ['never ends', ' '.repeat(5 << 20)],
  ])('with a manifest that %s is refused', async (_, body) => {
    registry.intercept = (__, response) => {
      response.end(body);
      return true;
    };
    await expect(prepare()).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
  });
});

function manifestWith(digest: string) {
  const descriptor = { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest, size: 1 };
  return { schemaVersion: 2, config: descriptor, layers: [descriptor] };
}

describe('an image is refused', () => {
  test.each([
    ['is not there', { status: 404, header: undefined }],
    ['is not for everybody', { status: 403, header: undefined }],
    ['wants a name and a password', { status: 401, header: 'Basic realm="x"' }],
    ['sends for its token into nowhere', { status: 401, header: 'Bearer realm="not a url"' }],
  ])('by IMAGE_NOT_FOUND if it %s', async (_, { status, header }) => {
    registry.intercept = (__, response) => {
      response.writeHead(status, header === undefined ? {} : { 'www-authenticate': header }).end();
      return true;
    };
    const pull = (await openStore()).prepare(registry.repository, lease('one'));
    await expect(pull).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND', retry: 'never' });
  });

  test.each([
    ['is for another kind of machine', { architecture: 's390x' }],
    ['is for another kind of machine, behind an index', { architecture: 's390x', indexed: true }],
    ['has a layer that is no archive of files', { mediaType: 'application/vnd.cncf.helm.chart.content.v1.tar+gzip' }],
    ['has a hostile layer', { layers: [[{ name: '../a', content: 'x' }]] }],
  ])('by IMAGE_INVALID if it %s', async (_, change) => {
    registry.publish({ layers: [[{ name: 'a', content: 'x' }]], ...change });
    const pull = (await openStore()).prepare(registry.repository, lease('one'));
    await expect(pull).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
    expect(await trees()).toEqual([]);
  });

  test('by IMAGE_TOO_LARGE before anything of it is fetched, if its manifest says more than the limit', async () => {
    const [layer = ''] = registry.publish({ layers: [[{ name: 'a', content: noise(20_000) }]] }).layers;
    const store = await openStore({ maxBytes: 100 });
    await expect(store.prepare(registry.repository, lease('one'))).rejects.toMatchObject({ code: 'IMAGE_TOO_LARGE' });
    expect(registry.requests.join()).not.toContain(layer);
  });

  test('by IMAGE_TOO_LARGE if it unpacks to more than the limit, or to too many files', async () => {
    registry.publish({ tag: 'bomb', layers: [[{ name: 'zeros', content: Buffer.alloc(30 << 20) }]] });
    registry.publish({ tag: 'many', layers: [Array.from({ length: 200 }, (_, index) => ({ name: `f${index}` }))] });
    const store = await openStore({ maxBytes: 1 << 20, maxEntries: 100 });
    const pull = (tag: string) => store.prepare(`${registry.repository}:${tag}`, lease(tag));
    await expect(pull('bomb')).rejects.toMatchObject({ code: 'IMAGE_TOO_LARGE' });
    await expect(pull('many')).rejects.toMatchObject({ code: 'IMAGE_TOO_LARGE' });
    expect(await trees()).toEqual([]);
  });

  test('by NOT_ALLOWED if its registry is in the network of an operator who has not allowed it', async () => {
    registry.publish({ layers: [[]] });
    const store = await openStore({ allowLocal: false });
    await expect(store.prepare(registry.repository, lease('one'))).rejects.toMatchObject({ code: 'NOT_ALLOWED' });
    expect(registry.requests).toEqual([]);
  });
});

describe('the store', () => {
  test('removes what was not used for longest, and nothing that a lease names', async () => {
    const publish = (tag: string) => registry.publish({ tag, layers: [[{ name: tag, content: noise(100_000) }]] });
    const [old, kept, recent, last] = [publish('old'), publish('kept'), publish('recent'), publish('last')];
    const store = await openStore({ maxBytes: 450_000 });
    const pull = (tag: string) => store.prepare(`${registry.repository}:${tag}`, lease(tag));
    const release = (tag: string) => rm(join(folder, 'jobs', tag), { recursive: true });
    const age = async (digest: string, seconds: number) => {
      const then = new Date(systemClock.nowMs() - seconds * 1000);
      await utimes(join(folder, 'images', 'trees', hex(digest), 'image.json'), then, then);
    };
    for (const tag of ['kept', 'old', 'recent']) await pull(tag);
    for (const tag of ['old', 'recent']) await release(tag);
    await age(kept.digest, 300);
    await age(old.digest, 200);
    await age(recent.digest, 100);
    await pull('last');
    const left = await trees();
    expect(left).toContain(hex(kept.digest));
    expect(left).toContain(hex(last.digest));
    expect(left).not.toContain(hex(old.digest));
  });

  test('has no room for another image while running jobs use it all', async () => {
    registry.publish({ tag: 'one', layers: [[{ name: 'a', content: noise(600_000) }]] });
    registry.publish({ tag: 'two', layers: [[{ name: 'b', content: noise(600_000) }]] });
    const store = await openStore({ maxBytes: 1_000_000 });
    const pull = (tag: string) => store.prepare(`${registry.repository}:${tag}`, lease(tag));
    await pull('one');
    await expect(pull('two')).rejects.toMatchObject({ code: 'IMAGE_NO_SPACE' });
    await rm(join(folder, 'jobs', 'one'), { recursive: true });
    expect(await readdir((await pull('two')).root)).toEqual(['b']);
  });

  test('throws away what an agent that was killed left half unpacked, and keeps what it left whole', async () => {
    const { digest } = registry.publish({ layers: [[{ name: 'a', content: '1' }]] });
    await (await openStore()).prepare(registry.repository, lease('one'));
    const half = join(folder, 'images', 'trees', `${'b'.repeat(64)}.part`);
    await mkdir(join(half, 'root', 'shut'), { recursive: true });
    await mkdir(join(folder, 'images', 'trees', `${'c'.repeat(64)}.gone`));
    await chmod(join(half, 'root', 'shut'), 0o700);
    await openStore();
    expect(await trees()).toEqual([hex(digest)]);
  });

  test('does not believe an image that may not have reached the disk before the machine stopped', async () => {
    const { digest } = registry.publish({ layers: [[{ name: 'a', content: '1' }]] });
    await (await openStore()).prepare(registry.repository, lease('one'));
    const tree = join(folder, 'images', 'trees', hex(digest));
    while (!(await readdir(tree)).includes('synced')) await new Promise(setImmediate);
    const note = await readFile(join(tree, 'image.json'), 'utf8');
    await writeFile(join(tree, 'image.json'), note.replace(/"bootId":"[^"]*"/, '"bootId":"another"'));
    await openStore();
    expect(await trees()).toEqual([hex(digest)]);
    await rm(join(tree, 'synced'));
    await openStore();
    expect(await trees()).toEqual([]);
  });
});
