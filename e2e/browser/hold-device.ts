import { asksAnswerSchema, checkSignedAsk, type EscrowDomain, LatentError, type SignedHold } from '@latent/protocol';
import { agentMethods } from '@latent/sdk/agent-methods';
import { callMethod, createBrowserTransport, createKeyPair, KEY_SEED_BYTES } from '@latent/transport/browser';
import type { Address } from 'viem';

export interface WantedAgent {
  /** URL of a book. */
  readonly book: string;
  /** Chain and escrow that asks have to be signed for. */
  readonly domain: EscrowDomain;
  readonly agentKey: Address;
}

/** Where an agent is. The book is believed in nothing: what counts is what the agent's key has signed. */
export async function findAgent({ book, domain, agentKey }: WantedAgent) {
  const response = await fetch(new URL('/v1/asks?offset=0&limit=100', book));
  const { asks } = asksAnswerSchema.parse(await response.json());
  const signed = asks.map((listed) => listed.signed).find(({ ask }) => ask.agentKey === agentKey);
  if (signed === undefined) throw new LatentError('PEER_ABSENT', 'The book lists no ask of the agent.');
  const ask = await checkSignedAsk(domain, signed, Math.floor(Date.now() / 1_000));
  const { peerKey, hints } = signed.resource;
  return { ask, peer: { key: peerKey, hints } };
}

/** Has an agent keep one of its devices free for a renter, on a connection of its own. */
export async function holdDevice(wanted: WantedAgent, renter: Address): Promise<SignedHold> {
  const { ask, peer } = await findAgent(wanted);
  const keyPair = createKeyPair(crypto.getRandomValues(new Uint8Array(KEY_SEED_BYTES)));
  const transport = createBrowserTransport({ keyPair });
  try {
    const options = { signal: AbortSignal.timeout(30_000), timeoutMs: 20_000 };
    return await callMethod(transport, peer, agentMethods.hold, { ask, renter, devices: 1 }, options);
  } finally {
    await transport.close();
  }
}
