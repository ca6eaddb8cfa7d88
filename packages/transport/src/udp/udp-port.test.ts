import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'vitest';
import { randomBytes } from '../key-pair.ts';
import { encodePeerPacket, type PeerPacket, TOKEN_BYTES } from './packet.ts';
import { addressOf, dealtWith, openPort, openRawSocket } from './raw-socket.fixture.ts';
import { openUdpPort } from './udp-port.ts';

const hasIPv6 = Object.values(networkInterfaces())
  .flatMap((list) => list ?? [])
  .some(({ address }) => address === '::1');

describe('a UDP port', () => {
  test.skipIf(!hasIPv6)('on the wildcard hears and answers both families, under one number', async () => {
    const port = openPort({ address: '0.0.0.0' });
    expect(port.isIPv6).toBe(true);
    const heard: string[] = [];
    port.onPacket((packet, from) => {
      heard.push(from.host);
      port.send(packet, from);
    });
    for (const host of ['127.0.0.1', '::1']) {
      const socket = await openRawSocket(host);
      const packet: PeerPacket = { kind: 'cookie', token: randomBytes(TOKEN_BYTES), cookie: randomBytes(16) };
      socket.sendPacket(packet, { host, port: port.port });
      expect(await socket.nextPacket('cookie')).toEqual(packet);
    }
    expect(heard).toEqual(['127.0.0.1', '::1']);
    const hosts = port.localAddresses().map(({ host }) => host);
    expect(hosts.some((host) => host === '0.0.0.0' || host === '127.0.0.1' || host.startsWith('fe80:'))).toBe(false);
  });

  test('on one address names that one, and has no socket of the other family', async () => {
    const port = openPort();
    expect(port.localAddresses()).toEqual([addressOf(port)]);
    expect(port.isIPv6).toBe(false);
    const stream = port.createStream(1);
    expect(() => port.connectStream(stream, 1, { host: '::1', port: 9 })).toThrow(
      expect.objectContaining({ code: 'PEER_UNREACHABLE' }),
    );
    stream.destroy();
    // Nothing to send it by: nothing happens.
    port.sendRaw(randomBytes(8), { host: '::1', port: 9 });
  });

  test('that is taken, or is not of this machine, is a wrong setting', async () => {
    const taken = openPort();
    const failed = expect.objectContaining({ code: 'CONFIG_INVALID' });
    expect(() => openUdpPort({ address: '127.0.0.1', port: taken.port })).toThrow(failed);
    expect(() => openUdpPort({ address: '192.0.2.1', port: 0 })).toThrow(failed);
    expect(() => openUdpPort({ address: 'localhost', port: 0 })).toThrow(failed);
  });

  test('passes garbage on to nobody', async () => {
    const port = openPort();
    const socket = await openRawSocket();
    let heard = 0;
    port.onDiscovery(() => {
      heard += 1;
    });
    const stop = port.onPacket(() => {
      heard += 1;
    });
    for (let length = 0; length < 100; length += 1) socket.send(randomBytes(length), addressOf(port));
    socket.send(new Uint8Array(60_000), addressOf(port));
    socket.send(Buffer.from('LTP1'), addressOf(port));
    socket.send(Buffer.from('LTA1'), addressOf(port));
    stop();
    await dealtWith(port);
    expect(heard).toBe(0);
  });

  test('is silent about sends that the system refuses', async () => {
    const port = openPort({ address: '0.0.0.0' });
    for (const host of ['255.255.255.255', '0.0.0.0', '224.0.0.1', '240.0.0.1', 'ff02::1', '::']) {
      port.sendRaw(randomBytes(8), { host, port: 9 });
    }
    // Forged senders can have it.
    port.sendRaw(randomBytes(8), { host: '127.0.0.1', port: 0 });
    await dealtWith(port, { host: '127.0.0.1', port: port.port });
  });

  test('tells a listener nothing more once it has stopped', async () => {
    const port = openPort();
    const socket = await openRawSocket();
    let heard = 0;
    const stop = port.onPacket(() => {
      heard += 1;
    });
    const packet = encodePeerPacket({ kind: 'cookie', token: randomBytes(TOKEN_BYTES), cookie: randomBytes(16) });
    socket.send(packet, addressOf(port));
    await dealtWith(port);
    const before = heard;
    stop();
    socket.send(packet, addressOf(port));
    await dealtWith(port);
    // The second packet of `dealtWith` was heard by it alone.
    expect([before, heard]).toEqual([2, 2]);
  });

  test('lets nobody into a stream that awaits nobody', async () => {
    const port = openPort();
    const socket = await openRawSocket();
    const stream = port.createStream(7);
    const asked: string[] = [];
    const awaiting = port.createStream(8, ({ host }) => {
      asked.push(host);
      return false;
    });
    const heartbeat = (streamId: number) => {
      const packet = Buffer.alloc(20);
      packet.set([0xff, 1, 32, 0]);
      packet.writeUInt32LE(streamId, 4);
      return packet;
    };
    socket.send(heartbeat(7), addressOf(port));
    socket.send(heartbeat(8), addressOf(port));
    await dealtWith(port);
    expect(asked).toEqual(['127.0.0.1']);
    expect([stream.connected, awaiting.connected]).toEqual([false, false]);
    expect(socket.receivedBytes).toBe(0);
    stream.destroy();
    awaiting.destroy();
  });
});
