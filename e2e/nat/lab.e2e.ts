import { describe, expect, test } from 'vitest';
import { waitUntil } from '../network/wait-until.ts';
import { findMissing } from './find-missing.ts';
import { type Lab, openLab } from './lab.ts';
import type { Family } from './lab-spec.ts';
import { type Endpoint, openSockets, type UdpSocket } from './open-sockets.ts';

const missing = await findMissing();

/** Public sockets, of two machines: two of the first, one of the other. */
async function bindPublic<Place extends string>(lab: Lab<Place>, book: Place, stranger: Place, family: Family = 4) {
  const [atBook, atStranger] = [openSockets(lab, book), openSockets(lab, stranger)];
  const at = (place: Place, socket: UdpSocket): Endpoint & UdpSocket => ({
    ...socket,
    host: lab.addressOf(place, family),
  });
  return {
    first: at(book, await atBook.bindUdp(family)),
    second: at(book, await atBook.bindUdp(family)),
    other: at(stranger, await atStranger.bindUdp(family)),
    tcp: { host: lab.addressOf(book, family), port: await atBook.listen() },
  };
}

/** Sends a greeting and gives whom the receiver saw. */
async function greet(socket: UdpSocket, to: Endpoint & UdpSocket, text: string): Promise<Endpoint> {
  await socket.send(to, text);
  const { host, port } = await to.hear(text);
  return { host, port };
}

const textsOf = (socket: UdpSocket) => socket.heard.map(({ text }) => text);

describe.skipIf(missing !== undefined)(
  `places of a lab${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    test.each(['cone', 'double', 'dual-stack'] as const)(
      '%s: one mapping for all that a socket talks to, and nobody else is let in',
      async (kind) => {
        await using lab = await openLab({ book: 'public', stranger: 'public', home: kind });
        const home = openSockets(lab, 'home');
        const { first, second, other } = await bindPublic(lab, 'book', 'stranger');
        const socket = await home.bindUdp();
        const mapping = { host: lab.addressOf('home'), port: socket.port };
        expect(await greet(socket, first, 'to the first')).toEqual(mapping);
        expect(await greet(socket, second, 'to the second')).toEqual(mapping);
        expect(lab.localAddressOf('home')).toBe('192.168.1.2');

        await other.send(mapping, 'unsolicited');
        await waitUntil('the router drops it', async () => (await lab.drops('home')).unsolicited === 1);
        await first.send(mapping, 'asked for');
        await socket.hear('asked for');
        expect(textsOf(socket)).toEqual(['asked for']);

        // Nor is another port of a machine that it does talk to.
        const third = await openSockets(lab, 'book').bindUdp();
        await third.send(mapping, 'unsolicited too');
        await waitUntil('the router drops it', async () => (await lab.drops('home')).unsolicited === 2);
        expect(textsOf(socket)).toEqual(['asked for']);
      },
    );

    test('symmetric: another port for each that a socket talks to, and nobody else is let in', async () => {
      await using lab = await openLab({ book: 'public', stranger: 'public', home: 'symmetric' });
      const home = openSockets(lab, 'home');
      const { first, second, other } = await bindPublic(lab, 'book', 'stranger');
      const socket = await home.bindUdp();
      const mappings = [
        await greet(socket, first, 'to the first'),
        await greet(socket, second, 'to the second'),
        await greet(socket, other, 'to the other'),
      ];
      expect(mappings.map(({ host }) => host)).toEqual(Array(3).fill(lab.addressOf('home')));
      expect(new Set(mappings.map(({ port }) => port)).size).toBeGreaterThan(1);

      await other.send(mappings[0]!, 'unsolicited');
      await waitUntil('the router drops it', async () => (await lab.drops('home')).unsolicited === 1);
      await first.send(mappings[0]!, 'asked for');
      await socket.hear('asked for');
      expect(textsOf(socket)).toEqual(['asked for']);
    });

    test('open: its own public address, at which all can reach it; no IPv6', async () => {
      await using lab = await openLab({ book: 'public', home: 'open' });
      const [book, home] = [await openSockets(lab, 'book').bindUdp(), openSockets(lab, 'home')];
      const socket = await home.bindUdp();
      await book.send({ host: lab.addressOf('home'), port: socket.port }, 'unsolicited');
      expect(await socket.hear('unsolicited')).toMatchObject({ host: lab.addressOf('book'), port: book.port });
      expect(lab.localAddressOf('home')).toBe(lab.addressOf('home'));
      expect(() => lab.addressOf('home', 6)).toThrow('home has no IPv6');
      expect(await home.connect({ host: lab.addressOf('book', 6), port: 1 })).toBe('ENETUNREACH');
    });

    test('udp-blocked: UDP vanishes both ways, TCP goes out', async () => {
      await using lab = await openLab({ book: 'public', stranger: 'public', office: 'udp-blocked' });
      const office = openSockets(lab, 'office');
      const { first, tcp } = await bindPublic(lab, 'book', 'stranger');
      const socket = await office.bindUdp();
      expect(await socket.send(first, 'out')).toBeUndefined();
      await waitUntil('the line drops it', async () => (await lab.drops('office')).udp === 1);
      await first.send({ host: lab.addressOf('office'), port: socket.port }, 'in');
      await waitUntil('the line drops it', async () => (await lab.drops('office')).udp === 2);
      expect(await office.connect(tcp)).toBe(`::ffff:${lab.addressOf('office')}`);
      expect([...socket.heard, ...first.heard]).toEqual([]);
      expect((await lab.drops('office')).unsolicited).toBe(0);
    });

    test('ipv6-only: no IPv4; its own address in IPv6, behind a firewall', async () => {
      await using lab = await openLab({ book: 'public', stranger: 'public', home: 'ipv6-only' });
      const home = openSockets(lab, 'home');
      const { first, second, other, tcp } = await bindPublic(lab, 'book', 'stranger', 6);
      const socket = await home.bindUdp(6);
      const mapping = { host: lab.addressOf('home'), port: socket.port };
      expect(lab.localAddressOf('home')).toBe(mapping.host);
      expect(await home.connect({ host: lab.addressOf('book', 4), port: tcp.port })).toBe('ENETUNREACH');
      expect(await home.connect(tcp)).toBe(mapping.host);

      await other.send(mapping, 'unsolicited');
      await waitUntil('the firewall drops it', async () => (await lab.drops('home')).unsolicited === 1);
      expect(await greet(socket, first, 'to the first')).toEqual(mapping);
      expect(await greet(socket, second, 'to the second')).toEqual(mapping);
      await first.send(mapping, 'asked for');
      await socket.hear('asked for');
      expect(textsOf(socket)).toEqual(['asked for']);
    });

    test('dual-stack: IPv6 without a mapping, behind a firewall, beside IPv4', async () => {
      await using lab = await openLab({ book: 'public', stranger: 'public', home: 'dual-stack' });
      const home = openSockets(lab, 'home');
      const { first, other } = await bindPublic(lab, 'book', 'stranger', 6);
      const socket = await home.bindUdp(6);
      const mapping = { host: lab.localAddressOf('home', 6), port: socket.port };
      await other.send(mapping, 'unsolicited');
      await waitUntil('the firewall drops it', async () => (await lab.drops('home')).unsolicited === 1);
      expect(await greet(socket, first, 'to the first')).toEqual(mapping);
      expect(socket.heard).toEqual([]);
    });

    test('two machines of one home share its public address, and reach each other inside', async () => {
      await using lab = await openLab({ book: 'public', alice: 'dual-stack', bob: { inHomeOf: 'alice' } });
      const book = await openSockets(lab, 'book').bindUdp();
      const [alice, bob] = [openSockets(lab, 'alice'), openSockets(lab, 'bob')];
      const [atAlice, atBob] = [await alice.bindUdp(), await bob.bindUdp()];
      const atBook = { ...book, host: lab.addressOf('book') };
      expect((await greet(atAlice, atBook, 'of alice')).host).toBe(lab.addressOf('alice'));
      expect((await greet(atBob, atBook, 'of bob')).host).toBe(lab.addressOf('alice'));
      expect(lab.addressOf('bob')).toBe(lab.addressOf('alice'));
      expect(lab.addressOf('bob', 6)).not.toBe(lab.addressOf('alice', 6));

      await atAlice.send({ host: lab.localAddressOf('bob'), port: atBob.port }, 'inside');
      expect(await atBob.hear('inside')).toMatchObject({ host: lab.localAddressOf('alice'), port: atAlice.port });
      // The router does not turn back what is sent to its own public address.
      await atAlice.send({ host: lab.addressOf('bob'), port: atBob.port }, 'around');
      await atAlice.send({ host: lab.localAddressOf('bob'), port: atBob.port }, 'inside again');
      await atBob.hear('inside again');
      expect(textsOf(atBob)).toEqual(['inside', 'inside again']);
    });

    test('two homes meet by punching when both keep their ports, and not when both change them', async () => {
      await using lab = await openLab({
        book: 'public',
        a: 'cone',
        b: 'double',
        c: 'symmetric',
        d: 'symmetric',
      });
      const book = { ...(await openSockets(lab, 'book').bindUdp()), host: lab.addressOf('book') };
      const punch = async (left: 'a' | 'c', right: 'b' | 'd') => {
        const [one, two] = [await openSockets(lab, left).bindUdp(), await openSockets(lab, right).bindUdp()];
        const [ofOne, ofTwo] = [await greet(one, book, `of ${left}`), await greet(two, book, `of ${right}`)];
        await one.send(ofTwo, 'first');
        await waitUntil('the router drops it', async () => (await lab.drops(right)).unsolicited > 0);
        await two.send(ofOne, 'second');
        return { one, two, ofTwo };
      };
      const kept = await punch('a', 'b');
      await kept.one.hear('second');
      await kept.one.send(kept.ofTwo, 'third');
      await kept.two.hear('third');
      expect(textsOf(kept.two)).toEqual(['third']);

      const changed = await punch('c', 'd');
      await waitUntil('the router drops it', async () => (await lab.drops('c')).unsolicited > 0);
      expect([...changed.one.heard, ...changed.two.heard]).toEqual([]);
    });
  },
);

describe.skipIf(missing !== undefined)(
  `faults of a lab${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    test('a home that changes its address is seen at the new one, and its old mappings are gone', async () => {
      await using lab = await openLab({ book: 'public', stranger: 'public', home: 'dual-stack', open: 'open' });
      const home = openSockets(lab, 'home');
      for (const family of [4, 6] as const) {
        const { first, tcp } = await bindPublic(lab, 'book', 'stranger', family);
        const socket = await home.bindUdp(family);
        const before = await greet(socket, first, 'before');
        const { unsolicited } = await lab.drops('home');
        const address = await lab.changeAddress('home');
        expect(address).toBe(lab.addressOf('home'));
        const after = { host: lab.addressOf('home', family), port: socket.port };
        expect(after.host).not.toBe(before.host);
        await first.send(before, 'to nobody');
        await first.send(after, 'not asked for yet');
        await waitUntil('the router drops it', async () => (await lab.drops('home')).unsolicited === unsolicited + 1);
        expect(await greet(socket, first, 'after')).toEqual(after);
        await first.send(after, 'asked for');
        await socket.hear('asked for');
        expect(textsOf(socket)).toEqual(['asked for']);
        expect(await home.connect(tcp)).toContain(after.host);
      }
      const book = openSockets(lab, 'book');
      const socket = await openSockets(lab, 'open').bindUdp();
      const host = await lab.changeAddress('open');
      await (await book.bindUdp()).send({ host, port: socket.port }, 'to the new address');
      await socket.hear('to the new address');
    });

    test('a router that forgets its mappings keeps the address', async () => {
      await using lab = await openLab({ book: 'public', stranger: 'public', home: 'double' });
      const home = openSockets(lab, 'home');
      const { first } = await bindPublic(lab, 'book', 'stranger');
      const socket = await home.bindUdp();
      const mapping = await greet(socket, first, 'before');
      await lab.forgetMappings('home');
      await first.send(mapping, 'forgotten');
      await waitUntil('the router drops it', async () => (await lab.drops('home')).unsolicited === 1);
      expect(await greet(socket, first, 'after')).toEqual(mapping);
      expect(socket.heard).toEqual([]);
    });

    test.each(['book', 'home'] as const)('a cut at the %s lets packets vanish until it is mended', async (place) => {
      await using lab = await openLab({ book: 'public', stranger: 'public', home: 'cone' });
      const home = openSockets(lab, 'home');
      const { first, other } = await bindPublic(lab, 'book', 'stranger');
      const socket = await home.bindUdp();
      const mapping = await greet(socket, first, 'before');
      await lab.cut(place);
      expect(await socket.send(first, 'out')).toBeUndefined();
      expect(await first.send(mapping, 'in')).toBeUndefined();
      await waitUntil('the line drops both', async () => (await lab.drops(place)).cut === 2);
      if (place === 'book') await greet(socket, other, 'to one who is not cut off');
      await lab.mend(place);
      expect(await greet(socket, first, 'after')).toEqual(mapping);
      await first.send(mapping, 'back');
      await socket.hear('back');
      expect(textsOf(socket)).toEqual(['back']);
      expect(textsOf(first)).toEqual(['before', 'after']);
    });

    test.each(['home', 'open', 'book'] as const)('a machine that is unplugged is told so: %s', async (place) => {
      await using lab = await openLab({ book: 'public', peer: 'public', home: 'dual-stack', open: 'open' });
      const peer = { ...(await openSockets(lab, 'peer').bindUdp()), host: lab.addressOf('peer') };
      const sockets = openSockets(lab, place);
      const socket = await sockets.bindUdp();
      const mapping = await greet(socket, peer, 'before');
      await lab.cut(place, 'unplugged');
      expect(await socket.send(peer, 'lost')).toBe('ENETUNREACH');
      await lab.mend(place);
      expect(await greet(socket, peer, 'after')).toEqual(mapping);
      if (place === 'open') return;
      const peer6 = { ...(await openSockets(lab, 'peer').bindUdp(6)), host: lab.addressOf('peer', 6) };
      expect((await greet(await sockets.bindUdp(6), peer6, 'after')).host).toBe(lab.addressOf(place, 6));
    });

    test('UDP can be blocked and allowed while it runs, and TCP goes on', async () => {
      await using lab = await openLab({ book: 'public', stranger: 'public', home: 'cone' });
      const home = openSockets(lab, 'home');
      const { first, tcp } = await bindPublic(lab, 'book', 'stranger');
      const socket = await home.bindUdp();
      const mapping = await greet(socket, first, 'before');
      await lab.blockUdp('home');
      await socket.send(first, 'out');
      await first.send(mapping, 'in');
      await waitUntil('the line drops both', async () => (await lab.drops('home')).udp === 2);
      expect(await home.connect(tcp)).toContain(lab.addressOf('home'));
      await lab.allowUdp('home');
      expect(await greet(socket, first, 'after')).toEqual(mapping);
      expect(socket.heard).toEqual([]);
    });
  },
);
