import { LatentError } from '@latent/protocol';
import { type ClusterRecord, clusterLinks, execOnMember, openRenterTransport, streamLogs } from '@latent/sdk';
import { hexToBytes } from 'viem';

/** Looks at the ranks of a cluster as its renter, without a command for each look. */
export interface ClusterEyes extends AsyncDisposable {
  /** Complete lines that a rank has printed; none while its agent does not answer. */
  linesOf(rank: number): Promise<readonly string[]>;
  /** Runs a command beside a rank's job. @returns its exit status */
  run(rank: number, argv: readonly string[]): Promise<number>;
}

export function openEyes(record: ClusterRecord): ClusterEyes {
  const transport = openRenterTransport(hexToBytes(record.peerSeed));
  const links = clusterLinks(transport, record);
  const { signal } = new AbortController();
  const linkOf = (rank: number) => {
    const link = links[rank];
    if (link === undefined) throw new Error(`${record.name} has no rank ${rank}`);
    return link;
  };
  return {
    linesOf: async (rank) => {
      let text = '';
      try {
        for await (const bytes of streamLogs(linkOf(rank), record.leaseId, { offset: 0, follow: false, signal })) {
          text += Buffer.from(bytes).toString('latin1');
        }
      } catch (thrown) {
        if (thrown instanceof LatentError) return [];
        throw thrown;
      }
      return text.split('\n').slice(0, -1);
    },
    run: async (rank, argv) => {
      const options = { argv, stdin: nothing(), onOutput: async () => {}, signal };
      return (await execOnMember(linkOf(rank), record.leaseId, options)).code;
    },
    [Symbol.asyncDispose]: () => transport.close(),
  };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}
