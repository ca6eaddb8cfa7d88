import { LatentError } from '@latent/protocol';
import { startProcess } from '../harness/start-process.ts';
import { type EndAsked, type EndTold, endToldSchema } from './notes.ts';

/** Something that carries bytes between two places. */
export interface Way {
  readonly title: string;
  /** Of what carries them, sender's side first, for its CPU time; the programs that send and take are not in it. */
  readonly pids: readonly number[];
  /** Milliseconds for so many bytes one way, until the other end has said that it has them. */
  bulk(totalBytes: number): Promise<number>;
  /** Milliseconds of each byte there and back. */
  echo(count: number): Promise<readonly number[]>;
  end(): Promise<void>;
}

export interface Place {
  /** File of its network namespace. */
  readonly namespacePath: string;
  readonly address: string;
}

/** TCP from one namespace to the other, by a program in each. @param carried ends what carries it */
export async function openTcpWay(
  { title, pids, carried }: Pick<Way, 'title' | 'pids'> & { readonly carried: () => Promise<void> },
  [from, to]: readonly [Place, Place],
  signal: AbortSignal,
): Promise<Way> {
  const start = (place: Place) =>
    startProcess<EndAsked, EndTold>({
      file: new URL('./end-process.ts', import.meta.url),
      setup: {},
      told: endToldSchema,
      within: ['nsenter', `--net=${place.namespacePath}`, '--'],
      signal,
    });
  const [sender, taker] = [await start(from), await start(to)];
  const listening = await taker.ask({ kind: 'listen', address: to.address });
  if (listening.kind !== 'listening') throw unexpected(listening.kind);
  const at = { address: to.address, port: listening.port };
  const ask = async (asked: EndAsked) => {
    const told = await sender.ask(asked);
    if (told.kind !== 'took') throw unexpected(told.kind);
    return told.ms;
  };
  return {
    title,
    pids,
    bulk: async (totalBytes) => (await ask({ kind: 'send', ...at, totalBytes }))[0] ?? Number.NaN,
    echo: (count) => ask({ kind: 'echo', ...at, count }),
    end: async () => {
      await Promise.all([sender.end(), taker.end()]);
      await carried();
    },
  };
}

const unexpected = (kind: string) => new LatentError('INTERNAL', `An end told "${kind}" instead of what it was asked.`);
