import { mkdirSync } from 'node:fs';
import type { BookOptionsInput } from '@latent/book';
import type { Deployment } from '@latent/protocol';
import { choosePort } from '../chain/choose-port.ts';
import type { DevnetContext } from '../devnet-context.ts';
import { writeFileAtomically } from '../files/write-file-atomically.ts';

/** Everything comes from one address here: what protects a book from one sender must not stop a whole network of them. */
const PER_MINUTE = 60_000;
const BYTES_PER_DAY = Number.MAX_SAFE_INTEGER;

/**
 * Makes a book's folder and settings. Its port is chosen here and stays, so that it can be restarted while others know it.
 * @param lastUrl where it was reached before
 * @returns the URL that it will serve
 */
export async function prepareBook(
  { paths }: DevnetContext,
  {
    name,
    deployment,
    lastUrl,
  }: { readonly name: string; readonly deployment: Deployment; readonly lastUrl: string | null },
): Promise<string> {
  const { dataDir, config } = paths.book(name);
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const port = await choosePort(lastUrl === null ? undefined : Number(new URL(lastUrl).port));
  const options: BookOptionsInput = {
    deployment,
    dataDir,
    name,
    port,
    requestsPerMinute: PER_MINUTE,
    introductionsPerMinutePerAddress: PER_MINUTE,
    discoveryQuestionsPerMinute: PER_MINUTE,
    relayFreeBytesPerAddress: BYTES_PER_DAY,
  };
  writeFileAtomically(config, `${JSON.stringify(options, undefined, 2)}\n`, 0o600);
  return `http://127.0.0.1:${port}`;
}
