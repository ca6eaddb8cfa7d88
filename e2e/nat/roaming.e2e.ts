import { describe, expect, test } from 'vitest';
import { waitUntil } from '../network/wait-until.ts';
import { findMissing } from './find-missing.ts';
import { type Lab, openLab } from './lab.ts';
import { type LabPeer, openLabPeers } from './lab-peers.ts';

const missing = await findMissing();

/** Echoes until the way is of the kind wanted: every message of the stream is checked meanwhile. */
async function awaitRoute(from: LabPeer, to: LabPeer, wanted: RegExp): Promise<string> {
  return await waitUntil(`${wanted} is the way`, async () => {
    const route = await from.echo(to, 5);
    return wanted.test(route) ? route : undefined;
  });
}

/** Two homes, a renter's and an operator's, and two books that both know. */
async function openHomes() {
  const lab = await openLab({ one: 'public', two: 'public', renter: 'cone', agent: 'cone' });
  const peers = await openLabPeers(lab, ['one', 'two']);
  const books = [await peers.book('one'), await peers.book('two')] as const;
  const urls = books.map(({ url }) => url);
  const [renter, agent] = await Promise.all([peers.peer('renter', urls), peers.peer('agent', urls)]);
  return {
    ...{ lab, books, renter, agent, peers },
    [Symbol.asyncDispose]: async () => {
      await lab[Symbol.asyncDispose]();
      await peers[Symbol.asyncDispose]();
    },
  };
}

type Fault = (lab: Lab<'one' | 'two' | 'renter' | 'agent'>) => Promise<unknown>;

describe.skipIf(missing !== undefined)(`a stream${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  test('goes on through the book when UDP is dropped, and directly again when it is let through', async () => {
    await using homes = await openHomes();
    const { lab, renter, agent } = homes;
    await renter.connect(agent);
    await awaitRoute(renter, agent, /^direct/);
    await lab.blockUdp('renter');
    expect(await awaitRoute(renter, agent, /^relayed/)).toMatch(/^relayed book http:/);
    await lab.allowUdp('renter');
    await awaitRoute(renter, agent, /^direct/);
  });

  const faults: readonly (readonly [string, Fault])[] = [
    ['the renter’s home gets another address', (lab) => lab.changeAddress('renter')],
    ['the operator’s home gets another address', (lab) => lab.changeAddress('agent')],
    ['both routers start anew', (lab) => Promise.all([lab.forgetMappings('renter'), lab.forgetMappings('agent')])],
    [
      'the renter’s machine loses its network for a while, as when it sleeps or changes networks',
      async (lab) => {
        await lab.cut('renter', 'unplugged');
        await lab.changeAddress('renter');
        await lab.mend('renter');
      },
    ],
    [
      'packets to the operator vanish for a while',
      async (lab) => {
        await lab.cut('agent');
        const { cut: before } = await lab.drops('agent');
        await waitUntil('some packets vanish', async () => (await lab.drops('agent')).cut > before + 5);
        await lab.mend('agent');
      },
    ],
  ];

  test.each(faults)('survives that %s', async (_, fault) => {
    await using homes = await openHomes();
    const { lab, renter, agent } = homes;
    await renter.connect(agent);
    await awaitRoute(renter, agent, /^direct/);
    const bytes = renter.bulk(agent, 32 * 1024 * 1024);
    await fault(lab);
    expect(await bytes).toBeGreaterThan(0);
    await renter.echo(agent, 20);
    await awaitRoute(renter, agent, /^direct/);
  });

  test('does not notice the death of books while it is direct', async () => {
    await using homes = await openHomes();
    const { books, renter, agent } = homes;
    await renter.connect(agent);
    await awaitRoute(renter, agent, /^direct/);
    await Promise.all(books.map((book) => book.process.end('SIGKILL')));
    expect(await renter.echo(agent, 200)).toMatch(/^direct/);
  });

  test('goes on through another book when the one that relays it dies', async () => {
    await using homes = await openHomes();
    const { lab, books, renter, agent } = homes;
    await lab.blockUdp('renter');
    const { route } = await renter.connect(agent);
    const [relaying, other] = route.endsWith(books[0].url) ? books : [books[1], books[0]];
    expect(route).toBe(`relayed book ${relaying.url}`);
    const bytes = renter.bulk(agent, 16 * 1024 * 1024);
    await relaying.process.end('SIGKILL');
    expect(await bytes).toBeGreaterThan(0);
    expect(await renter.echo(agent, 20)).toBe(`relayed book ${other.url}`);
  });
});
