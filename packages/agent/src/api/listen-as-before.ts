import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LatentError } from '@latent/protocol';
import type { EncryptedStream, Listener, Transport } from '@latent/transport';
import { isMissing } from '../drivers/is-missing.ts';
import type { AgentOptions } from '../options.ts';

/**
 * Listens for renters, on the port of the agent's last life where the options leave it open: renters of running leases
 * know the agent by the hints of the ask that they took. Another free port if that one has been taken.
 * @throws LatentError CONFIG_INVALID (the address cannot be bound)
 */
export async function listenAsBefore(
  transport: Transport,
  onStream: (stream: EncryptedStream) => void,
  { dataDir, listenAddress: address, port }: Pick<AgentOptions, 'dataDir' | 'listenAddress' | 'port'>,
): Promise<Listener> {
  const file = join(dataDir, 'port');
  const lastPort = port === 0 ? await readPort(file) : port;
  const listener = await transport.listen(onStream, { address, port: lastPort }).catch((thrown: unknown) => {
    const isTaken = thrown instanceof LatentError && thrown.code === 'CONFIG_INVALID';
    if (!isTaken || port !== 0 || lastPort === 0) throw thrown;
    return transport.listen(onStream, { address, port: 0 });
  });
  await writeFile(`${file}.new`, `${listener.port}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return listener;
}

/** 0, for any port, where none was written yet or what was written is none. */
async function readPort(file: string): Promise<number> {
  const text = await readFile(file, 'utf8').catch((thrown: unknown) => {
    if (isMissing(thrown)) return '';
    throw thrown;
  });
  const port = /^\d{1,5}\n$/.test(text) ? Number(text) : 0;
  return port > 0xffff ? 0 : port;
}
