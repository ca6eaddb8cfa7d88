import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const CHROMIUM = '/usr/bin/chromium';

export interface OpenPage {
  /** Rejects when the browser ends although nobody closed it. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

/** Shows a page in a browser of its own, without a window, that asks nothing but this page. */
export async function openInChromium(url: string): Promise<OpenPage> {
  const folder = await mkdtemp(join(tmpdir(), 'latent-browser-'));
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
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
    close: async () => {
      isClosing = true;
      browser.kill('SIGKILL');
      await exited;
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
