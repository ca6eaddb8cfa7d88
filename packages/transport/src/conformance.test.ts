import type { BenchOptions, ConformanceTest, TransportBench } from './conformance/suite.ts';
import { describeTransport } from './conformance.ts';
import { openSmallBook, type SmallBook } from './link/small-book.fixture.ts';
import { afterwards, keyPairOf, listenOn } from './loopback.fixture.ts';
import { createPeerTransport, type PeerTransportOptions } from './peer/peer-transport.ts';
import { tcpBetween, tcpServer } from './tcp/loopback.fixture.ts';
import { createTcpTransport } from './tcp/tcp-transport.ts';
import type { Transport } from './transport.ts';
import { openRawSocket, openUdpProxy } from './udp/raw-socket.fixture.ts';

const MEBIBYTE = 1024 * 1024;
/** A connection that is cut waits no longer for another path. */
const TIMES = { pathTimeoutMs: 1_000, resumeMs: 1_500 };

function opened(transport: Transport): Transport {
  afterwards(() => transport.close());
  return transport;
}

const openPeer = (byte: number, options: Partial<PeerTransportOptions> = {}) =>
  opened(createPeerTransport({ keyPair: keyPairOf(byte), times: TIMES, ...options }));

async function openBook(): Promise<SmallBook> {
  const book = await openSmallBook();
  afterwards(async () => await book[Symbol.asyncDispose]());
  return book;
}

async function openTcp(options: BenchOptions = {}): Promise<TransportBench> {
  const open = (byte: number) => opened(createTcpTransport({ keyPair: keyPairOf(byte), ...options }));
  const [near, far] = [open(1), open(2)];
  const listening = await listenOn(far);
  const between = await tcpBetween(listening.listener.port);
  return { near, far, ...listening, hints: [`tcp://127.0.0.1:${between.port}`], between };
}

async function openDirect(options: BenchOptions = {}): Promise<TransportBench> {
  const [near, far] = [openPeer(1, options), openPeer(2, options)];
  const listening = await listenOn(far);
  const proxy = await openUdpProxy({ host: '127.0.0.1', port: listening.listener.port });
  const between = {
    get seen() {
      return proxy.passed.map(({ bytes }) => bytes);
    },
    cut: async () => {
      proxy.alter = () => [];
    },
  };
  return { near, far, ...listening, hints: [`udp://127.0.0.1:${proxy.address.port}`], between };
}

/** Through a book, which tells the two of each other's addresses or does not. */
async function openByBook(options: BenchOptions, hidesAddresses: boolean): Promise<TransportBench> {
  const book = await openBook();
  book.hidesAddresses = hidesAddresses;
  const seen: Uint8Array[] = [];
  book.tamper = (frame) => {
    seen.push(Uint8Array.from(frame));
    return [frame];
  };
  const [near, far] = [openPeer(1, options), openPeer(2, { ...options, books: [book.url] })];
  const listening = await listenOn(far);
  const hints = listening.listener.hints.filter((hint) => hint.startsWith('book+'));
  const between = { seen, cut: async () => await book[Symbol.asyncDispose]() };
  return { near, far, ...listening, hints, between: hidesAddresses ? between : undefined };
}

const openMuteBook = async () => [`book+http://127.0.0.1:${await tcpServer(() => undefined)}`];
const withNothingBetween: readonly ConformanceTest[] = [
  'a stream that is cut never looks like one that ended',
  'nothing that is sent can be read on the way',
];

describeTransport({
  name: 'tcp',
  open: openTcp,
  route: 'direct',
  // Four sockets, and what their kernel keeps for each.
  bufferedBytes: 24 * MEBIBYTE,
  openNowhere: async () => [`tcp://127.0.0.1:${await tcpServer(() => undefined)}`],
  skip: [
    {
      test: 'datagrams do not wait behind a reader that reads nothing',
      reason: 'TCP keeps the order of all that it carries',
    },
  ],
});

describeTransport({
  name: 'peer, direct',
  open: openDirect,
  route: 'direct',
  bufferedBytes: 8 * MEBIBYTE,
  openNowhere: async () => [`udp://127.0.0.1:${(await openRawSocket()).address.port}`],
  skip: [],
});

describeTransport({
  name: 'peer, relayed',
  open: (options = {}) => openByBook(options, true),
  route: 'relayed',
  bufferedBytes: 8 * MEBIBYTE,
  openNowhere: openMuteBook,
  skip: [
    {
      test: 'another key at the hint is named, and hears of no stream',
      reason: 'a book introduces only to the key that was asked for; lying ones are met in its tests',
    },
  ],
});

describeTransport({
  name: 'peer, through a hole',
  open: (options = {}) => openByBook(options, false),
  route: 'direct',
  bufferedBytes: 8 * MEBIBYTE,
  openNowhere: openMuteBook,
  skip: [
    {
      test: 'another key at the hint is named, and hears of no stream',
      reason: 'a book introduces only to the key that was asked for; lying ones are met in its tests',
    },
    ...withNothingBetween.map((test) => ({ test, reason: 'two sockets of one machine have nothing between them' })),
  ],
});
