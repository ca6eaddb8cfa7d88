import type { MemberNetwork, MemberNetworkOptions, MemberNetworkPlan } from '../member-network.ts';
import { type Egress, openEgress, removeEgress } from './open-egress.ts';

/** What brings private networks up and takes them down. */
export interface NetworkCarrier {
  readonly openNetwork: (plan: MemberNetworkPlan, options: MemberNetworkOptions) => Promise<MemberNetwork>;
  readonly removeNetwork: (options: Pick<MemberNetworkOptions, 'stateDir' | 'clock' | 'logger'>) => Promise<void>;
}

/**
 * The same networks, each with a way out. One that has none at present is a network all the same, and says so by having no `nameserver`.
 * @param refused IPv4 ranges that the operator refuses besides what is refused anyway; undefined where no network is to have a way out, and what
 * an earlier life of the agent opened is closed
 */
export function withEgress(carrier: NetworkCarrier, refused: readonly string[] | undefined): NetworkCarrier {
  return {
    openNetwork: async (plan, options) => {
      const network = await carrier.openNetwork(plan, options);
      if (refused === undefined) {
        await removeEgress(options);
        return network;
      }
      const egress = await tryEgress(network, { ...options, refused });
      if (egress === undefined) return network;
      return {
        ...network,
        nameserver: egress.nameserver,
        close: async () => {
          await egress.close();
          await network.close();
        },
      };
    },
    removeNetwork: async (options) => {
      await removeEgress(options);
      await carrier.removeNetwork(options);
    },
  };
}

async function tryEgress(
  { namespacePath }: MemberNetwork,
  options: MemberNetworkOptions & { readonly refused: readonly string[] },
): Promise<Egress | undefined> {
  try {
    return await openEgress(namespacePath, options);
  } catch (error) {
    options.logger.error({ error, stateDir: options.stateDir }, 'a private network has no way out');
    return undefined;
  }
}
