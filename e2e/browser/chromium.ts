import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';

export const CHROMIUM = '/usr/bin/chromium';

export interface OpenPage {
  /** Rejects when the browser ends although nobody closed it. */
  readonly failed: Promise<never>;
  /** Closes the page as a person does who closes its tab. The browser may end with it. */
  closeTab(): Promise<void>;
  close(): Promise<void>;
}

const tabsSchema = z.array(z.object({ id: z.string(), url: z.string() }));

/** Shows a page in a browser of its own, without a window, that asks nothing but this page. */
export async function openInChromium(url: string): Promise<OpenPage> {
  const folder = await mkdtemp(join(tmpdir(), 'latent-browser-'));
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
  // By this it can be told to close a tab.
  flags.push('--remote-debugging-port=0');
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync'];
  const browser = spawn(CHROMIUM, [...flags, ...quiet, `--user-data-dir=${folder}`, url], { stdio: 'ignore' });
  const exited = new Promise<Error>((resolve) => {
    browser.once('error', resolve);
    browser.once('exit', (code, signal) => resolve(new Error(`the browser ended with ${code ?? signal}`)));
  });
  let isClosing = false;
  const failed = new Promise<never>((_, reject) => {
    void exited.then((error) => isClosing || reject(error));
  });
  return {
    failed,
    closeTab: async () => {
      isClosing = true;
      const [port = ''] = (await readFile(join(folder, 'DevToolsActivePort'), 'utf8')).split('\n');
      const list: unknown = await (await fetch(`http://127.0.0.1:${port}/json/list`)).json();
      const tab = tabsSchema.parse(list).find((one) => one.url === url);
      await fetch(`http://127.0.0.1:${port}/json/close/${tab?.id}`);
    },
    close: async () => {
      isClosing = true;
      browser.kill('SIGKILL');
      await exited;
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
