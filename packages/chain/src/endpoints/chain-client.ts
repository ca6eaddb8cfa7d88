import type { Deployment } from '@latent/protocol';
import type { ChainClient } from '@latent/sdk';
import type { Endpoints } from './endpoints.ts';

/** For the verbs of the sdk that read: they ask these endpoints instead of the one that the deployment names. */
export function createEndpointsClient(endpoints: Endpoints, deployment: Deployment): ChainClient {
  return {
    deployment,
    domain: { chainId: deployment.chainId, escrow: deployment.escrow },
    chain: endpoints.chain,
    public: endpoints.public,
  };
}
