import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, type Logger, openStore } from '@latent/kit';
import type { AskId } from '@latent/protocol';
import { type ChainClient, connectChain, withChain } from '@latent/sdk';
import { createPeerTransport, createTcpTransport, type RefusedConnection, type Transport } from '@latent/transport';
import type { Address } from 'viem';
import type { AgentContext } from './agent-context.ts';
import { listenAsBefore } from './api/listen-as-before.ts';
import { serveAgent } from './api/serve-agent.ts';
import { type AskDesk, openAskDesk } from './asks/ask-desk.ts';
import { keepPresent } from './asks/publish-asks.ts';
import { joinOperator } from './chain/join-operator.ts';
import { selectMachineDriver } from './drivers/select-machine-driver.ts';
import { createHoldStore, holdMigration } from './holds/hold-store.ts';
import { loadIdentity } from './identity/load-identity.ts';
import { openImageStore } from './images/image-store.ts';
import { followLeases } from './leases/follow-leases.ts';
import { handOnVouchers } from './leases/hand-on-vouchers.ts';
import { createLeaseDesk, freeDevices, type LeaseDesk } from './leases/lease-desk.ts';
import { createMemberStore, memberMigration } from './leases/member-store.ts';
import { recoverMembers } from './leases/recover-members.ts';
import { watchMembers } from './leases/watch-members.ts';
import { fingerprintMachine } from './machine/fingerprint.ts';
import { withEgress } from './network/egress/with-egress.ts';
import { findNetworkAbility } from './network/find-network-ability.ts';
import { openMemberNetwork, removeMemberNetwork } from './network/member-network.ts';
import { createMemberNetworks } from './network/member-networks.ts';
import type { AgentOptions } from './options.ts';

export interface StartAgentDependencies {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly randomBytes: (size: number) => Uint8Array;
  /** Ends the agent. Jobs go on, and the next start takes them up again. */
  readonly signal: AbortSignal;
}

export interface RunningAgent {
  readonly agentKey: Address;
  readonly operator: Address;
  readonly ask: AskId;
  /** Transport hints, as in the ask. */
  readonly hints: readonly string[];
  readonly driver: string;
  /** Resolves when the operator wanted to leave every lease (`options.leaving`) and has, or with `ended`. */
  readonly left: Promise<void>;
  /** Resolves when the agent has ended after its signal aborted. */
  readonly ended: Promise<void>;
}

/** How often is looked whether the ask has to be signed anew, or a hold has lapsed. */
const CHECK_INTERVAL_MS = 2_000;

/**
 * Starts the daemon of one machine: keys, driver, recovery of running work, stake and registration, transport, ask,
 * presence at the books.
 * @throws LatentError DRIVER_UNAVAILABLE, DRIVER_REFUSED, CHAIN_WRONG, FUNDS_TOO_LOW, …
 */
export async function startAgent(options: AgentOptions, dependencies: StartAgentDependencies): Promise<RunningAgent> {
  const { clock, logger, signal } = dependencies;
  await mkdir(options.dataDir, { recursive: true, mode: 0o700 });
  const identity = await loadIdentity(options.dataDir, dependencies.randomBytes);
  const store = openStore({
    path: join(options.dataDir, 'agent.sqlite'),
    migrations: [memberMigration, holdMigration],
  });
  const images = await openImageStore({
    folder: join(options.dataDir, 'images'),
    jobs: join(options.dataDir, 'jobs'),
    maxBytes: options.imageCacheBytes,
    // Where the agent is root, each job is a user of its own, who owns nothing of an image that others use too.
    access: process.getuid?.() === 0 ? 'anyone' : 'owner',
    allowLocal: options.localRegistries,
    clock,
  });
  const wish = { driver: options.driver, allowNoIsolation: options.allowWithoutIsolation };
  const docker = { socket: options.dockerSocket, image: options.dockerImage, network: options.dockerNetwork };
  const { driver, fingerprint } = await selectMachineDriver(wish, { images, clock, signal, docker });
  const chain = await reachChain(options, dependencies);
  const context: AgentContext = {
    options,
    identity,
    chain,
    driver,
    members: createMemberStore(store),
    holds: createHoldStore(store),
    clock,
    logger,
    signal,
  };
  const epoch = await joinOperator(context);
  const transport = openTransport(context);
  // The handlers need the ask, and the ask needs the port: streams that come in between are dropped.
  let server: ReturnType<typeof serveAgent> | undefined;
  const listener = await listenAsBefore(
    transport,
    (stream) => (server === undefined ? stream.destroy() : server.onStream(stream)),
    options,
  );
  const asks = await openAskDesk({
    context,
    machine: fingerprintMachine(options),
    hints: listener.hints,
    epoch,
    isolation: fingerprint.isolation,
  });
  let tellBooks: () => void = () => {};
  const ability = await findNetworkAbility(driver.name, { signal, egress: options.egress });
  if (!ability.usable) logger.warn({ reason: ability.reason }, 'no private networks here');
  else if (ability.egress?.usable === false)
    logger.warn({ reason: ability.egress.reason }, 'no way out of private networks');
  const { dataDir } = options;
  const closed = { openNetwork: openMemberNetwork, removeNetwork: removeMemberNetwork };
  const mayLeave = ability.usable && ability.egress?.usable === true;
  const carrier = withEgress(closed, mayLeave ? options.egressRefused : undefined);
  const networks = createMemberNetworks({ ability, ...carrier, transport, dataDir, clock, logger, signal });
  const desk = createLeaseDesk({ context, asks, networks }, () => tellBooks());
  await recoverMembers(desk);
  const listing = () => ({ signed: asks.current.signed, freeDevices: freeDevices(desk) });
  const books = options.books.map((url) => keepPresent(context, url, listing()));
  tellBooks = () => {
    for (const book of books) book.update(listing());
  };
  server = serveAgent(desk);
  const followed = followLeases(desk);
  const loops = [
    watchMembers(desk),
    followed,
    handOnVouchers(context),
    renewAsk(desk, () => tellBooks()),
    ...books.map((book) => book.closed),
  ];
  const ended = Promise.all(loops).then(async () => {
    await server?.close();
    await listener.close();
    await transport.close();
    store.close();
  });
  logger.info({ agentKey: identity.agent.address, ask: asks.current.id, driver: driver.name }, 'agent ready');
  return {
    agentKey: identity.agent.address,
    operator: identity.operator.address,
    ask: asks.current.id,
    hints: listener.hints,
    driver: driver.name,
    left: followed,
    ended,
  };
}

function openTransport({ options, identity, logger }: AgentContext): Transport {
  const shared = {
    keyPair: identity.peer,
    onRefused: ({ remoteAddress, error }: RefusedConnection) =>
      logger.debug({ remoteAddress, error: error.message }, 'not connected'),
  };
  return options.transport === 'tcp'
    ? createTcpTransport(shared)
    : createPeerTransport({ ...shared, books: options.books });
}

async function reachChain(options: AgentOptions, { logger, signal }: StartAgentDependencies): Promise<ChainClient> {
  return withChain(() => connectChain(options.deployment), {
    signal,
    onWaiting: (error) => logger.warn({ error: error.message }, 'waiting for the chain'),
  });
}

/** Signs the ask anew before it expires, and lets holds that lapsed show in what is free. */
async function renewAsk(
  { context, asks }: LeaseDesk & { readonly asks: AskDesk },
  tellBooks: () => void,
): Promise<void> {
  let told = freeDevices({ context, asks });
  while (!context.signal.aborted) {
    await context.clock.sleep(CHECK_INTERVAL_MS, { signal: context.signal }).catch(() => undefined);
    if (context.signal.aborted) return;
    const isDue = context.clock.nowMs() >= asks.renewAtMs();
    if (isDue) await asks.renew();
    const free = freeDevices({ context, asks });
    if (isDue || free !== told) tellBooks();
    told = free;
  }
}
