import { type Deployment, type LatentError, toLatentError } from '@latent/protocol';
import { type BookExamination, examineNetwork as examinePeers, type NetworkExamination } from '@latent/transport';
import { connectChain } from '../chain/connect-chain.ts';

export interface ExamineNetworkParameters {
  /** URLs of the books to look at, one after the other. */
  readonly books: readonly string[];
  /** The chain to ask as well. */
  readonly deployment?: Deployment;
  readonly signal: AbortSignal;
  readonly onBook?: (book: BookExamination) => void;
}

export interface Examination extends NetworkExamination {
  /** Whether the chain's endpoint answers for the right chain; undefined where none was named. */
  readonly chain: { readonly error?: LatentError } | undefined;
}

/** What kind of network this machine is in: how others reach it, which books and whether the chain answer. Rejects by the signal alone. */
export async function examineNetwork(parameters: ExamineNetworkParameters): Promise<Examination> {
  const { deployment, ...peers } = parameters;
  const chain =
    deployment === undefined
      ? undefined
      : await connectChain(deployment).then(
          () => ({}),
          (thrown: unknown) => ({ error: toLatentError(thrown) }),
        );
  return { ...(await examinePeers(peers)), chain };
}
