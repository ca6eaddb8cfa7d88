import { describe, expect, test } from 'vitest';
import { waitUntil } from '../network/wait-until.ts';
import { findMissing } from './find-missing.ts';
import { openLab } from './lab.ts';
import { openSockets, type UdpSocket } from './open-sockets.ts';
import { drawFates } from './shaper/draw-fates.ts';
import type { LinkShape } from './shaper/link-shape.ts';

const missing = await findMissing();

/** Sockets at both ends of a shaped home, and where each is for the other. */
async function openEnds(uplink: LinkShape) {
  const lab = await openLab({ book: 'public', home: { kind: 'open', uplink } });
  const [book, home] = [await openSockets(lab, 'book').bindUdp(), await openSockets(lab, 'home').bindUdp()];
  return {
    lab,
    book,
    home,
    toBook: { host: lab.addressOf('book'), port: book.port },
    toHome: { host: lab.addressOf('home'), port: home.port },
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  };
}

const numbers = (count: number) => Array.from({ length: count }, (_, number) => String(number));

const textsOf = (socket: UdpSocket) => socket.heard.map(({ text }) => text);

describe.skipIf(missing !== undefined)(
  `a shaped uplink${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    test('loses the very packets that its seed says, in each direction its own', async () => {
      const uplink = { seed: 7, up: { loss: 0.1 }, down: { loss: 0.02 } };
      await using ends = await openEnds(uplink);
      await ends.home.send(ends.toBook, ...numbers(2_000));
      await ends.book.send(ends.toHome, ...numbers(2_000));
      const kept = (direction: 'up' | 'down') => {
        const draw = drawFates(uplink, direction);
        return numbers(2_000).filter(() => draw() !== 'lost');
      };
      for (const [direction, socket] of [
        ['up', ends.book],
        ['down', ends.home],
      ] as const) {
        await waitUntil('all have passed', async () => (await ends.lab.passed('home'))[direction].arrived === 2_000);
        await socket.hear(kept(direction).at(-1) ?? '');
        expect(textsOf(socket)).toEqual(kept(direction));
        expect((await ends.lab.passed('home'))[direction]).toEqual({
          arrived: 2_000,
          sent: kept(direction).length,
          lost: 2_000 - kept(direction).length,
          late: 0,
          dropped: 0,
        });
      }
      expect(2_000 - kept('up').length).toBe(212);
      expect(2_000 - kept('down').length).toBe(42);
    });

    test('lets some packets be overtaken, and loses none of them', async () => {
      const uplink = { seed: 1, up: { delayMs: 5, late: { chance: 0.2, byMs: 600 } } };
      await using ends = await openEnds(uplink);
      await ends.home.send(ends.toBook, ...numbers(100));
      await waitUntil('all are heard', () => ends.book.heard.length === 100);
      const draw = drawFates(uplink, 'up');
      const fates = numbers(100).map((number) => ({ number, fate: draw() }));
      const heard = textsOf(ends.book);
      for (const fate of ['on time', 'late'] as const) {
        const own = fates.filter((one) => one.fate === fate).map(({ number }) => number);
        expect(heard.filter((number) => own.includes(number))).toEqual(own);
      }
      const first = fates.findIndex(({ fate }) => fate === 'late');
      expect(fates[first + 1]?.fate).toBe('on time');
      expect(heard.indexOf(String(first))).toBeGreaterThan(heard.indexOf(String(first + 1)));
    });

    test('takes its time both ways', async () => {
      await using ends = await openEnds({ seed: 1, up: { delayMs: 150 }, down: { delayMs: 100 } });
      const startMs = performance.now();
      await ends.home.send(ends.toBook, 'there');
      await ends.book.hear('there');
      expect(performance.now() - startMs).toBeGreaterThanOrEqual(150);
      await ends.book.send(ends.toHome, 'back');
      await ends.home.hear('back');
      expect(performance.now() - startMs).toBeGreaterThanOrEqual(250);
    });

    test('carries no more than its rate, and drops what its queue does not hold', async () => {
      const rate = 100_000;
      await using ends = await openEnds({ seed: 1, up: { rate, queue: 1_000_000 } });
      const texts = numbers(50).map((number) => number.padEnd(1_000));
      const startMs = performance.now();
      await ends.home.send(ends.toBook, ...texts);
      await waitUntil('all are heard', () => ends.book.heard.length === 50);
      expect(performance.now() - startMs).toBeGreaterThanOrEqual(((50 * 1_028) / rate) * 1_000);
      expect(textsOf(ends.book)).toEqual(texts);

      await ends.lab.shape('home', { seed: 1, up: { rate, queue: 10_000 } });
      await ends.home.send(ends.toBook, ...texts);
      const { up } = await waitUntil('all have passed', async () => {
        const passed = await ends.lab.passed('home');
        return passed.up.sent + passed.up.dropped === 50 && passed;
      });
      expect(up.dropped).toBeGreaterThan(0);
      await waitUntil('the rest is heard', () => ends.book.heard.length === 50 + up.sent);
    });

    test('can be changed while packets are on their way, which arrive as they would have', async () => {
      await using ends = await openEnds({ seed: 1, up: { delayMs: 1_000 } });
      await ends.home.send(ends.toBook, 'slow');
      await waitUntil('it is on its way', async () => (await ends.lab.passed('home')).up.arrived === 1);
      await ends.lab.shape('home', { seed: 1 });
      await ends.home.send(ends.toBook, 'fast');
      await ends.book.hear('slow');
      expect(textsOf(ends.book)).toEqual(['fast', 'slow']);
    });

    test('carries TCP and IPv6, and all its packets when it goes through two routers', async () => {
      const uplink: LinkShape = { seed: 1, up: { delayMs: 2 }, down: { delayMs: 2 } };
      await using lab = await openLab({
        book: { kind: 'public', uplink },
        dual: { kind: 'dual-stack', uplink },
        far: { kind: 'double', uplink },
      });
      const port = await openSockets(lab, 'book').listen();
      const [dual, far] = [openSockets(lab, 'dual'), openSockets(lab, 'far')];
      expect(await dual.connect({ host: lab.addressOf('book', 6), port })).toBe(lab.addressOf('dual', 6));
      expect(await dual.connect({ host: lab.addressOf('book'), port })).toBe(`::ffff:${lab.addressOf('dual')}`);
      expect(await far.connect({ host: lab.addressOf('book'), port })).toBe(`::ffff:${lab.addressOf('far')}`);
      const before = lab.addressOf('far');
      await lab.changeAddress('far');
      expect(await far.connect({ host: lab.addressOf('book'), port })).toBe(`::ffff:${lab.addressOf('far')}`);
      expect(lab.addressOf('far')).not.toBe(before);
      await lab.cut('dual', 'unplugged');
      await lab.mend('dual');
      expect(await dual.connect({ host: lab.addressOf('book', 6), port })).toBe(lab.addressOf('dual', 6));
    });

    test('is refused where its figures cannot be, and where the place has none', async () => {
      await using lab = await openLab({ plain: 'open', shaped: { kind: 'open', uplink: { seed: 1 } } });
      await expect(lab.shape('shaped', { seed: 1, up: { loss: 2 } })).rejects.toThrow('loss');
      await expect(lab.passed('shaped')).resolves.toMatchObject({ up: { lost: 0 } });
      await expect(async () => lab.shape('plain', { seed: 1 })).rejects.toThrow('the uplink of plain is not shaped');
    });
  },
);
