import { randomBytes } from 'node:crypto';
import { hashOrder, LatentError, type Requirements, type SignedAsk, signAttach } from '@latent/protocol';
import {
  attachMember,
  type ChainClient,
  claimMember,
  closeLease,
  draftLease,
  holdAsk,
  holdMembers,
  openLease,
  openRenterTransport,
  placeOrder,
  prepareLease,
  prepareOpening,
} from '@latent/sdk';
import { bytesToBigInt, bytesToHex, type LocalAccount } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import type { LaunchTimes } from './messages.ts';

export interface Renter {
  readonly chain: ChainClient;
  readonly account: LocalAccount;
  readonly book: string;
  readonly requirements: Requirements;
}

/** Rents by the real steps, with a transport that has talked to nobody yet, and closes the lease again, which is not timed. */
export async function launchRound(renter: Renter, signal: AbortSignal): Promise<Omit<LaunchTimes, 'isFirst'>> {
  const { chain, account, book, requirements } = renter;
  const { domain } = chain;
  const { machines, devicesPerMachine, seconds } = requirements;
  const transport = openRenterTransport(randomBytes(32));
  const meter = privateKeyToAccount(generatePrivateKey());
  try {
    const placed = performance.now();
    const opening = prepareOpening(chain);
    const parties = { domain, transport, renter: account.address, signal };
    const order = await placeOrder(chain, { books: [book], requirements, nowSeconds: nowSeconds(), transport, signal });
    const ordered = performance.now();
    const common = {
      ...{ domain, devicesPerMachine, seconds, renter: account.address, nowSeconds: nowSeconds() },
      ...{ meterKey: meter.address, workload: bytesToHex(randomBytes(32)), salt: bytesToBigInt(randomBytes(8)) },
    };
    const lease = async (asks: readonly SignedAsk[]) => ({
      ...{ asks, terms: draftLease({ ...common, asks }), prepared: await opening },
      funding: { kind: 'authorization', renter: account } as const,
    });
    const expected = order.chosen.flatMap(({ id }) => order.signed.get(id) ?? []);
    const ready = lease(expected).then((wanted) => prepareLease(chain, wanted));
    const held = await holdMembers({ ...parties, order, machines, devicesPerMachine });
    const holdsTaken = performance.now();

    const taken = Promise.withResolvers<void>();
    const wanted = await lease(held.map(({ signed }) => signed));
    const { terms } = wanted;
    const opened = openLease(chain, { ...wanted, ready: await ready, onSent: () => taken.resolve() });
    const isSent = Promise.race([taken.promise, opened]).then(() => performance.now());
    const links = held.map(({ candidate: { resource } }) => ({
      transport,
      peer: { key: resource.peerKey, hints: resource.hints },
    }));
    // Any call would do; this one can be answered before the lease is mined, and the answer is signed.
    const again = { renter: account.address, devices: devicesPerMachine };
    const askAll = async () => {
      await Promise.all(links.map((link, rank) => holdAsk(link, { ...again, ask: idOf(held, rank) }, signal)));
      return performance.now();
    };
    const [sent, live] = await Promise.all([isSent, askAll()]);
    const askedAgain = await askAll();
    const routes = links.map(({ peer }) => transport.routeTo(peer.key)?.kind);

    if ((await opened) === undefined) throw new LatentError('INTERNAL', 'The lease had been opened before.');
    const leaseId = hashOrder(domain, terms);
    const signature = await signAttach(meter, domain, leaseId, transport.key);
    await Promise.all(links.map((link) => attachMember(link, { terms, signature }, signal)));
    const closes = await Promise.all(links.map((link) => claimMember(link, leaseId, signal)));
    await closeLease(chain, { account, terms, paidUnits: [], voucher: undefined, closes });
    return {
      ...{ order: ordered - placed, holds: holdsTaken - ordered, sent: sent - holdsTaken, live: live - holdsTaken },
      ...{ total: Math.max(sent, live) - placed, again: askedAgain - placed },
      direct: routes.filter((route) => route === 'direct').length,
      relayed: routes.filter((route) => route === 'relayed').length,
    };
  } finally {
    await transport.close();
  }
}

function idOf(held: Awaited<ReturnType<typeof holdMembers>>, rank: number) {
  const member = held[rank];
  if (member === undefined) throw new LatentError('INTERNAL', `There is no rank ${rank}.`);
  return member.candidate.id;
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1_000);
}
