import { once } from 'node:events';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@latent/kit';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type JobBench, openBench } from '../conformance/job-bench.ts';
import type { Driver, JobHandle } from '../driver.ts';
import { createDockerDriver } from './docker-driver.ts';

const signal = () => AbortSignal.timeout(30_000);
const limits = { askMs: 300, actMs: 300, lostMs: 300, pullStallMs: 300, pullMs: 20_000, pullBytes: 1000 };
const version = { Version: '20.10.24', ApiVersion: '1.41', MinAPIVersion: '1.12', Os: 'linux' };
const image = { Id: `sha256:${'a'.repeat(64)}`, Os: 'linux', Config: { Env: null } };
const id = 'b'.repeat(64);

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** Sockets on which something else than an engine listens, or one that fails at some point. */
describe('an engine that does not do what it should', () => {
  let folder: string;
  let socket: string;
  let bench: JobBench;
  let server: Server | undefined;
  const connections = new Set<Socket>();
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'latent-engine-'));
    socket = join(folder, 'sock');
    bench = await openBench(driver(), () => ({}));
  });
  afterEach(async () => {
    for (const one of connections) one.destroy();
    connections.clear();
    server?.close();
    server = undefined;
    await bench.close();
    await rm(folder, { recursive: true });
  });

  const driver = (): Driver => createDockerDriver({ clock: systemClock, socket, image: 'lent', limits });
  const listen = async (made: Server): Promise<void> => {
    server = made;
    made.on('connection', (connection: Socket) => connections.add(connection));
    made.listen(socket);
    await once(made, 'listening');
  };
  const answerWith = (text: string) =>
    listen(
      createServer((connection) => connection.on('error', () => undefined).once('data', () => connection.end(text))),
    );
  const serve = (handler: Handler) => listen(createHttpServer(handler));
  /** As an engine answers, but for what `handler` answers itself. */
  const engine = (handler: (path: string, response: ServerResponse, request: IncomingMessage) => boolean) =>
    serve((request, response) => {
      const path = (request.url ?? '').replace(/^\/v1[.]41/, '').replace(/\?.*/, '');
      if (handler(path, response, request)) return;
      const json = (status: number, value: unknown) => {
        response.writeHead(status, { 'Content-Type': 'application/json' });
        response.end(JSON.stringify(value));
      };
      if (path === '/version') return json(200, version);
      if (path === '/info') return json(200, { SecurityOptions: [] });
      if (path === '/containers/json') return json(200, []);
      if (path.startsWith('/images/') && request.method === 'GET') return json(200, image);
      if (path === '/containers/create') return json(201, { Id: id });
      return json(404, { message: 'no such container' });
    });
  const start = async () => {
    const spec = await bench.spec({ script: 'true', ends: { code: 0 } });
    return { spec, started: driver().start(spec, { signal: signal() }) };
  };

  test('is unavailable where nothing listens, and says how to start one', async () => {
    expect(await driver().fingerprint({ signal: signal() })).toMatchObject({
      available: false,
      reason: expect.stringContaining(socket),
      remedy: expect.stringContaining('systemctl start docker'),
    });
    await expect((await start()).started).rejects.toMatchObject({ code: 'DRIVER_UNAVAILABLE' });
  });

  test('is unavailable where it takes calls and never answers', async () => {
    await listen(createServer((connection) => connection.on('error', () => undefined).resume()));
    expect(await driver().fingerprint({ signal: signal() })).toMatchObject({
      available: false,
      reason: expect.stringContaining('has not answered within 0.3 s'),
    });
    const { spec, started } = await start();
    await expect(started).rejects.toMatchObject({ code: 'DRIVER_UNAVAILABLE', retry: 'later' });
    expect(await readdir(spec.stateDir)).toEqual([]);
  });

  test.each([
    ['what is not HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['a page', 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>'],
    ['an object of another kind', 'HTTP/1.1 200 OK\r\nContent-Length: 18\r\n\r\n{"ApiVersion":"x"}'],
    ['a complaint', 'HTTP/1.1 500 no\r\nContent-Length: 17\r\n\r\n{"message":"ill"}'],
  ])('has failed where it answers with %s', async (_what, text) => {
    await answerWith(text);
    await expect((await start()).started).rejects.toMatchObject({ code: 'DRIVER_FAILED' });
    expect(await driver().fingerprint({ signal: signal() })).toMatchObject({ available: false });
  });

  test('is unavailable where it breaks off in the middle of an answer', async () => {
    await answerWith('HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\n{"Version":');
    await expect((await start()).started).rejects.toMatchObject({ code: 'DRIVER_UNAVAILABLE' });
  });

  test('has failed where its answer never ends', async () => {
    await serve((_request, response) => {
      const more = () => {
        while (response.write(' '.repeat(1 << 16)));
        response.once('drain', more);
      };
      more();
    });
    await expect((await start()).started).rejects.toMatchObject({
      code: 'DRIVER_FAILED',
      message: expect.stringContaining('larger than'),
    });
  });

  test.each(['/containers/create', `/containers/${id}/start`])(
    'leaves nothing behind where it hangs in %s',
    async (at) => {
      const removed: string[] = [];
      await engine((path, response, request) => {
        if (request.method === 'DELETE') {
          removed.push(path);
          response.writeHead(204).end();
          return true;
        }
        return path === at;
      });
      const { spec, started } = await start();
      await expect(started).rejects.toMatchObject({ code: 'DRIVER_UNAVAILABLE', message: expect.stringContaining(at) });
      expect(await readdir(spec.stateDir)).toEqual([]);
      expect(removed).toEqual([expect.stringMatching(new RegExp(`^/containers/latent-${spec.jobId}-[0-9a-f]{12}$`))]);
    },
  );

  test.each([
    ['memory', { MemoryLimit: false, PidsLimit: true, CpuCfsQuota: true }],
    ['memory, processes, cpu', { Rootless: true, CgroupVersion: '1', MemoryLimit: true, PidsLimit: true }],
  ])('is unavailable where it would take no notice of a limit: %s', async (names, info) => {
    await engine((path, response) => {
      if (path !== '/info') return false;
      response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(info));
      return true;
    });
    const { started } = await start();
    await expect(started).rejects.toMatchObject({
      code: 'DRIVER_UNAVAILABLE',
      message: expect.stringContaining(`cannot limit ${names} on`),
    });
  });

  test('refuses an image that has no shell, in words', async () => {
    await engine((path, response) => {
      if (path !== `/containers/${id}/start`) return false;
      const message = 'runc: exec: "/bin/sh": stat /bin/sh: no such file or directory: unknown';
      response.writeHead(400, { 'Content-Type': 'application/json' }).end(JSON.stringify({ message }));
      return true;
    });
    await expect((await start()).started).rejects.toMatchObject({
      code: 'DRIVER_REFUSED',
      hint: expect.stringContaining('/bin/sh'),
    });
  });

  test('refuses an image that describes itself at too great a length', async () => {
    await engine((path, response, request) => {
      if (!path.startsWith('/images/') || request.method !== 'GET') return false;
      response.writeHead(200).end(JSON.stringify({ ...image, Config: { Labels: { long: 'x'.repeat(300_000) } } }));
      return true;
    });
    await expect((await start()).started).rejects.toMatchObject({ code: 'IMAGE_INVALID' });
  });

  test('starts a job although it does not say what an earlier life of the agent has left', async () => {
    const paths: string[] = [];
    await engine((path, response, request) => {
      paths.push(path);
      if (path === '/containers/json') response.writeHead(500).end('{"message":"ill"}');
      else if (path === `/containers/${id}/start` || request.method === 'DELETE') response.writeHead(204).end();
      else return false;
      return true;
    });
    const { started } = await start();
    await driver().destroy(await started);
    expect(paths).toContain('/containers/json');
  });

  describe('as it fetches an image', () => {
    const pulling = (onPull: (response: ServerResponse) => void) =>
      engine((path, response, request) => {
        if (path.startsWith('/images/') && request.method === 'GET') response.writeHead(404).end('{"message":"none"}');
        else if (path === '/images/create') onPull(response.writeHead(200));
        else return false;
        return true;
      });
    const line = (value: unknown) => `${JSON.stringify(value)}\r\n`;

    test('is given up when it makes no more progress', async () => {
      const ended = Promise.withResolvers<void>();
      await pulling((response) => {
        response
          .on('close', ended.resolve)
          .write(line({ id: 'a', status: 'Downloading', progressDetail: { total: 9 } }));
      });
      await expect((await start()).started).rejects.toMatchObject({
        code: 'IMAGE_UNREACHABLE',
        message: expect.stringContaining('docker.io/library/lent:latest has made no progress for 0.3 s'),
      });
      await ended.promise;
    });

    test('is given up when the image is larger than is taken', async () => {
      await pulling((response) => {
        for (const layer of ['a', 'b']) response.write(line({ id: layer, progressDetail: { total: 600 } }));
      });
      await expect((await start()).started).rejects.toMatchObject({
        code: 'IMAGE_TOO_LARGE',
        message: expect.stringContaining('1200 bytes'),
      });
    });

    test.each([
      ['manifest for lent:latest not found: manifest unknown', 'IMAGE_NOT_FOUND'],
      ['pull access denied for lent, repository does not exist', 'IMAGE_NOT_FOUND'],
      ['dial tcp: lookup docker.io: no such host', 'IMAGE_UNREACHABLE'],
    ])('passes on %s', async (error, code) => {
      await pulling((response) => response.end(line({ error, errorDetail: { message: error } })));
      await expect((await start()).started).rejects.toMatchObject({ code, message: expect.stringContaining(error) });
    });

    test('has failed when it says to have the image and does not', async () => {
      await pulling((response) => response.end(line({ status: 'done' })));
      await expect((await start()).started).rejects.toMatchObject({
        code: 'DRIVER_FAILED',
        hint: expect.stringContaining('disk'),
      });
    });

    test('has failed when its line never ends', async () => {
      await pulling((response) => {
        const more = () => {
          while (response.write('x'.repeat(1 << 16)));
          response.once('drain', more);
        };
        more();
      });
      await expect((await start()).started).rejects.toMatchObject({
        code: 'DRIVER_FAILED',
        message: expect.stringContaining('a line of more than'),
      });
    });

    test('stops when the caller does', async () => {
      const asked = Promise.withResolvers<void>();
      await pulling(() => asked.resolve());
      const stop = new AbortController();
      const started = driver().start(await bench.spec({ script: 'true', ends: { code: 0 } }), { signal: stop.signal });
      await asked.promise;
      stop.abort();
      await expect(started).rejects.toMatchObject({ code: 'CANCELLED' });
    });
  });

  test('does not keep a job from being recovered whose handle is of another driver, or of nobody', async () => {
    const handle: JobHandle = { driver: 'sandbox', jobId: 'x', state: {} };
    expect(await driver().recover(handle)).toEqual({ kind: 'gone' });
    await expect(async () => driver().stop({ ...handle, driver: 'docker' }, { graceMs: 0 })).rejects.toMatchObject({
      code: 'DRIVER_REFUSED',
    });
  });
});
