import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createManualClock, type LogFields, type ManualClock, openStore, type Store, silentLogger } from '@latent/kit';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openBench } from '../book-bench.fixture.ts';
import { ipPlace } from '../sockets/ip-address.ts';
import { createPeer, introduce, openChannel, openLink, settled } from './peer-bench.fixture.ts';
import { MAX_UNSAVED_BYTES, openRelayAllowances } from './relay-allowance.ts';
import { LEAST_WRITTEN_BYTES, relayUsageMigration } from './usage-rows.ts';

const MIB = 1024 * 1024;
const DAY_MS = 86_400_000;
const [alice, bob] = [createPeer('alice'), createPeer('bob')];
const caller = (ip: string) => ({ ip, place: ipPlace(ip) });

interface Shelf extends AsyncDisposable {
  readonly path: string;
  readonly store: Store;
  readonly clock: ManualClock;
}

async function openShelf(): Promise<Shelf> {
  const folder = await mkdtemp(join(tmpdir(), 'usage-'));
  const path = join(folder, 'book.sqlite');
  const store = openStore({ path, migrations: [relayUsageMigration] });
  return {
    path,
    store,
    clock: createManualClock(20_000 * DAY_MS + 1_000),
    [Symbol.asyncDispose]: async () => {
      store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const open = ({ store, clock }: Pick<Shelf, 'store' | 'clock'>, perKey = 100 * MIB, perAddress = 300 * MIB) =>
  openRelayAllowances(
    { relayFreeBytesPerKey: perKey, relayFreeBytesPerAddress: perAddress },
    { store, clock, logger: silentLogger },
  );
const rowsIn = ({ store }: Shelf) =>
  store.all(
    'SELECT kind, name, bytes FROM relay_usage ORDER BY kind',
    [],
    z.object({ kind: z.string(), name: z.string(), bytes: z.int() }),
  );

describe('what is relayed without payment', () => {
  it('is counted for a key, all its links together, and not beyond its limit', async () => {
    await using shelf = await openShelf();
    const allowances = open(shelf);
    const [one, other] = [
      allowances.open(alice.key, caller('192.0.2.1')),
      allowances.open(alice.key, caller('192.0.2.2')),
    ];
    expect(one.take(60 * MIB)).toBe(true);
    expect(other.take(60 * MIB)).toBe(false);
    expect(other.left()).toBe(40 * MIB);
    expect(other.take(40 * MIB)).toBe(true);
    expect(one.take(1)).toBe(false);
    expect(allowances.relayedToday()).toBe(100 * MIB);
  });

  it('is counted for an address, all keys and all of its 64 bits together', async () => {
    await using shelf = await openShelf();
    const allowances = open(shelf);
    for (const [at, name] of ['a', 'b', 'c'].entries()) {
      expect(allowances.open(createPeer(name).key, caller(`2001:db8::${at + 1}`)).take(100 * MIB)).toBe(true);
    }
    expect(allowances.open(createPeer('d').key, caller('2001:db8::9')).take(1)).toBe(false);
    expect(allowances.open(createPeer('d').key, caller('2001:db8:0:1::9')).take(1)).toBe(true);
  });

  it('begins anew with the day in UTC', async () => {
    await using shelf = await openShelf();
    const allowances = open(shelf);
    const allowance = allowances.open(alice.key, caller('192.0.2.1'));
    allowance.take(100 * MIB);
    await shelf.clock.advance(DAY_MS - 1_001);
    expect(allowance.left()).toBe(0);
    await shelf.clock.advance(1);
    expect(allowance.left()).toBe(100 * MIB);
    expect(allowances.relayedToday()).toBe(0);
    allowance.take(MIB);
    allowances.save();
    expect(rowsIn(shelf).map(({ bytes }) => bytes)).toEqual([MIB, MIB, MIB]);
  });

  it('is remembered by the next life of the book, also without an orderly end but for 32 MiB', async () => {
    await using shelf = await openShelf();
    const first = open(shelf);
    const allowance = first.open(alice.key, caller('192.0.2.1'));
    for (let taken = 0; taken < 80; taken += 1) allowance.take(MIB);
    // Nothing was saved on purpose: the process is gone.
    const again = openStore({ path: shelf.path, migrations: [relayUsageMigration] });
    const second = open({ store: again, clock: shelf.clock });
    const left = second.open(alice.key, caller('192.0.2.1')).left();
    expect(left).toBeGreaterThanOrEqual(20 * MIB);
    expect(left).toBeLessThanOrEqual(20 * MIB + MAX_UNSAVED_BYTES);
    again.close();
    first.save();
    const third = open(shelf);
    expect(third.open(alice.key, caller('192.0.2.1')).left()).toBe(20 * MIB);
    expect(third.relayedToday()).toBe(80 * MIB);
  });

  it('is remembered while nobody is linked, and forgotten again where it is hardly anything', async () => {
    await using shelf = await openShelf();
    const allowances = open(shelf);
    const use = (name: string, bytes: number) => {
      const allowance = allowances.open(createPeer(name).key, caller('192.0.2.1'));
      expect(allowance.take(bytes)).toBe(true);
      allowance.release();
    };
    use('much', MIB);
    for (let at = 0; at < 100; at += 1) use(`little ${at}`, LEAST_WRITTEN_BYTES - 1);
    allowances.save();
    expect(rowsIn(shelf).map(({ kind }) => kind)).toEqual(['book', 'key', 'place']);
    expect(allowances.open(createPeer('much').key, caller('192.0.2.2')).left()).toBe(99 * MIB);
    expect(allowances.open(createPeer('little 1').key, caller('192.0.2.2')).left()).toBe(100 * MIB);
    // The address has paid for all of it.
    const used = MIB + 100 * (LEAST_WRITTEN_BYTES - 1);
    expect(
      open(shelf, 1_000 * MIB)
        .open(createPeer('new').key, caller('192.0.2.1'))
        .left(),
    ).toBe(300 * MIB - used);
  });

  it('is counted on when it cannot be written down, which is logged, and written down later', async () => {
    await using shelf = await openShelf();
    const logged: [LogFields, string][] = [];
    const logger = { ...silentLogger, error: (...line: [LogFields, string]) => void logged.push(line) };
    let isFull = true;
    const store: Store = {
      ...shelf.store,
      transaction: (work) => {
        if (isFull) throw new Error('the disk is full');
        return shelf.store.transaction(work);
      },
    };
    const allowances = openRelayAllowances(
      { relayFreeBytesPerKey: 100 * MIB, relayFreeBytesPerAddress: 100 * MIB },
      { store, clock: shelf.clock, logger },
    );
    const allowance = allowances.open(alice.key, caller('192.0.2.1'));
    expect(allowance.take(50 * MIB)).toBe(true);
    expect(allowance.take(60 * MIB)).toBe(false);
    expect(logged.map(([, text]) => text)).toEqual(['what was relayed could not be written down']);
    isFull = false;
    allowances.save();
    expect(rowsIn(shelf).map(({ bytes }) => bytes)).toEqual([50 * MIB, 50 * MIB, 50 * MIB]);
  });
});

describe('a peer that has used it up', () => {
  it('loses the channel, as does the other side, and is introduced as before', async () => {
    await using bench = await openBench({ relayFreeBytesPerKey: 100 });
    const from = await openLink(bench, alice, { accepts: false });
    const to = await openLink(bench, bob);
    const number = await openChannel(from, 1, { peer: bob, link: to });
    from.relay(1, Buffer.alloc(50));
    // What comes back is counted too, to the one who has opened the channel.
    to.relay(number, Buffer.alloc(42));
    await from.nextFrame();
    from.relay(1, Buffer.alloc(1));
    expect(await from.next()).toMatchObject({ kind: 'closed', channel: 1, code: 'RELAY_QUOTA' });
    expect(await to.next()).toMatchObject({ kind: 'closed', channel: number, code: 'RELAY_QUOTA' });
    await openChannel(from, 2, { peer: bob, link: to });
    await settled(from);
    expect((await to.nextFrame()).payload).toHaveLength(50);
    expect(to.frames()).toEqual([]);
  });

  it('is told what is left, and cannot use up what is another’s by sending to it', async () => {
    await using bench = await openBench({ relayFreeBytesPerKey: 1_000, relayFreeBytesPerAddress: 1_500 });
    const victim = await openLink(bench, bob, { localAddress: '127.0.0.2' });
    for (const [at, name] of ['one', 'two'].entries()) {
      const hostile = await openLink(bench, createPeer(name), { localAddress: `127.0.0.${at + 3}` });
      await openChannel(hostile, 1, { peer: bob, link: victim });
      for (let sent = 0; sent < 20; sent += 1) hostile.relay(1, Buffer.alloc(96));
      expect(await hostile.next()).toMatchObject({ kind: 'closed', code: 'RELAY_QUOTA' });
      expect(await victim.next()).toMatchObject({ kind: 'closed', code: 'RELAY_QUOTA' });
    }
    const again = await openLink(bench, alice, { accepts: true });
    introduce(victim, 1, alice);
    expect(await again.next()).toMatchObject({ kind: 'introduction' });
    victim.relay(1, Buffer.alloc(996));
    expect((await again.nextFrame()).payload).toHaveLength(996);
  });
});
