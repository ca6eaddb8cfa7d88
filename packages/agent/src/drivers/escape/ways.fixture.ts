import { execFile, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What each way came to: `open`, or the name of the error that it ended with. */
export type Ways = ReadonlyMap<string, string>;

/** What `ways.c` tries to get at on the machine, and the program itself. */
export interface Targets {
  /** Folder with the program `ways`. */
  readonly program: string;
  readonly env: Readonly<Record<string, string>>;
  /** What is open to a process of the machine that nothing keeps, but that has its own process numbers, so that the first is no other's. */
  readonly outside: Ways;
  close(): Promise<void>;
}

/** Compiles the program and sets its targets up. @returns why not, where the machine lacks something */
export async function openTargets(): Promise<Targets | string> {
  if (process.getuid?.() !== 0) return 'only root can see that each way is open outside';
  const folder = await mkdtemp(join(tmpdir(), 'latent-escape-'));
  const source = fileURLToPath(new URL('./ways.c', import.meta.url));
  const program = join(folder, 'ways');
  try {
    await run('gcc', ['-static', '-O1', '-w', '-o', program, source]);
  } catch (thrown) {
    await rm(folder, { recursive: true, force: true });
    return `gcc does not compile: ${String(thrown).slice(0, 200)}`;
  }
  const mark = `latent-mark-${randomUUID()}`;
  const env = {
    MARK: mark,
    SECRET_FILE: join(folder, 'agent.key'),
    ENGINE_SOCKET: join(folder, 'engine.sock'),
    ABSTRACT: mark,
  };
  await writeFile(env.SECRET_FILE, 'secret', { mode: 0o644 });
  const servers = [await listen({ path: env.ENGINE_SOCKET }), await listen({ path: `\0${mark}` })];
  const tcp = await listen({ host: '127.0.0.1', port: 0 });
  const at = tcp.address();
  const all = { ...env, PORT: String(typeof at === 'object' ? at?.port : 0) };
  const marked = spawn('/bin/sh', ['-c', `read -r never; : ${mark}`], { stdio: ['pipe', 'ignore', 'ignore'] });
  const script = `cd ${folder} && { sh -c "read -r never <&3; : ${mark}" & } && ./ways`;
  const within = [
    '--mount',
    '--propagation',
    'private',
    '--pid',
    '--fork',
    '--mount-proc',
    '/bin/sh',
    '-c',
    `exec 3<>${folder}/never; ${script}`,
  ];
  await run('mkfifo', [join(folder, 'never')]);
  const { stdout } = await run('unshare', within, { env: { ...all, PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } });
  return {
    program,
    env: all,
    outside: readWays(stdout),
    close: async () => {
      marked.kill('SIGKILL');
      for (const server of [...servers, tcp]) server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function readWays(output: string): Ways {
  return new Map(
    output
      .trim()
      .split('\n')
      .map((line) => {
        const [name = '', result = ''] = line.split(' ');
        return [name, result] as const;
      }),
  );
}

/** Names of those that are open. */
export const openOf = (ways: Ways): readonly string[] =>
  [...ways].flatMap(([name, result]) => (result === 'open' ? [name] : []));

async function listen(
  where: { readonly path: string } | { readonly host: string; readonly port: number },
): Promise<Server> {
  const server = createServer((socket) => socket.destroy()).listen(where);
  await once(server, 'listening');
  return server;
}
