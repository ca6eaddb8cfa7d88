import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BookOptionsInput } from '@latent/book';
import { z } from 'zod';

const PROGRAM = fileURLToPath(new URL('../../packages/book/src/main.ts', import.meta.url));
const readySchema = z.object({ event: z.literal('ready'), url: z.url() });

export interface StartedBook {
  readonly url: string;
  /** Ends it and removes its folder. */
  close(): Promise<void>;
}

/** A real book in a process of its own. There is no chain, which nobody needs to be introduced. */
export async function startBook(options: Partial<BookOptionsInput> = {}): Promise<StartedBook> {
  const dataDir = await mkdtemp(join(tmpdir(), 'latent-book-'));
  const config = join(dataDir, 'settings.json');
  const nobody = (digit: string) => `0x${digit.repeat(40)}`;
  const settings = {
    deployment: {
      chainId: 31_337,
      rpcUrl: 'http://127.0.0.1:9',
      ...{ token: nobody('1'), escrow: nobody('2'), operators: nobody('3') },
      deployedAtBlock: '0',
    },
    dataDir,
    ...options,
  };
  await writeFile(config, JSON.stringify(settings));
  const book = spawn(process.execPath, [PROGRAM, '--config', config], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(book, 'exit');
  const close = async () => {
    book.kill('SIGKILL');
    await exited;
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  };
  try {
    const [line] = await once(createInterface(book.stdout), 'line');
    return { url: readySchema.parse(JSON.parse(String(line))).url, close };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}
