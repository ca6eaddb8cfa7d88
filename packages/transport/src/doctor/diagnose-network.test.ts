import { LatentError } from '@latent/protocol';
import { describe, expect, it } from 'vitest';
import { diagnoseNetwork, type NetworkFacts } from './diagnose-network.ts';
import type { BookExamination } from './examine-book.ts';
import type { UdpView } from './examine-udp.ts';

const BOOK = 'https://book.example';
const relay = { roundTripMs: 3, megabytesPerSecond: 40 };

function view(change: Partial<UdpView> = {}): UdpView {
  return { family: 4, seen: ['203.0.113.2:4000'], isSameForBoth: true, letsStrangersIn: false, ...change };
}

function book(views: readonly UdpView[], change: Partial<BookExamination> = {}): BookExamination {
  return {
    bookUrl: BOOK,
    linkMs: 20,
    observed: '203.0.113.2',
    freeRelayBytes: 4e9,
    udp: { tried: [4], views },
    relay,
    ...change,
  };
}

const diagnose = (books: readonly BookExamination[], localHosts: NetworkFacts['localHosts'] = ['192.168.1.10']) =>
  diagnoseNetwork({ books, localHosts });

const down: BookExamination = { bookUrl: BOOK, error: new LatentError('BOOK_UNREACHABLE', 'Nothing answers.') };

describe('what a network is called', () => {
  it.each([
    ['open', 'has a public address and lets strangers in', [book([view({ letsStrangersIn: true })])], ['203.0.113.2']],
    ['punchable', 'has a public address behind a firewall', [book([view()])], ['203.0.113.2']],
    ['punchable', 'has a NAT that lets strangers in', [book([view({ letsStrangersIn: true })])], ['192.168.1.10']],
    ['punchable', 'has a NAT of homes', [book([view()])], ['192.168.1.10']],
    ['punchable', 'lost one of two answers', [book([view({ isSameForBoth: undefined })])], ['192.168.1.10']],
    ['punchable', 'is strict by IPv4 alone', [book([view({ isSameForBoth: false }), view({ family: 6 })])], []],
    ['strict', 'maps each destination anew', [book([view({ isSameForBoth: false })])], []],
    ['relayed', 'drops UDP', [book([])], []],
    ['relayed', 'asked a book without discovery', [{ bookUrl: BOOK, linkMs: 20, relay }], []],
    ['punchable', 'has one book of two', [down, book([view()])], []],
    ['cut-off', 'has no book', [down, down], []],
  ] as const)('%s where it %s', (reachability, _, books, hosts) => {
    expect(diagnose(books, hosts).reachability).toBe(reachability);
  });
});

it('says what to do wherever something is not as it could be', () => {
  for (const books of [[book([view({ isSameForBoth: false })])], [book([])], [down]]) {
    const [summary] = diagnose(books).findings;
    expect(summary?.level).not.toBe('ok');
    expect(summary?.remedy).toMatch(/\.$/);
  }
  expect(diagnose([book([view()])]).findings.every(({ remedy }) => remedy === undefined)).toBe(true);
});

it('names the address that others see, each once, for each family', () => {
  const same = view({ seen: ['203.0.113.2:4000', '203.0.113.2:4000'] });
  const six = view({ family: 6, seen: ['[2001:db8::2]:4000', '[2001:db8::2]:4001'], isSameForBoth: false });
  const texts = diagnose([book([same, six])], ['2001:db8::2']).findings.map(({ text }) => text);
  expect(texts).toContainEqual(expect.stringContaining('IPv4: seen as 203.0.113.2:4000, behind a NAT'));
  expect(texts).toContainEqual(
    expect.stringContaining('IPv6: seen as [2001:db8::2]:4000 and [2001:db8::2]:4001, without a NAT'),
  );
});

it('tells a relay that fails from one that is slow', () => {
  const failing = book([view()], { relay: { error: new LatentError('RELAY_QUOTA', 'Used up.') } });
  expect(diagnose([failing]).findings).toContainEqual(
    expect.objectContaining({ level: 'problem', text: `${BOOK}: relays nothing for this machine. Used up.` }),
  );
  const slow = book([view()], { relay: { ...relay, megabytesPerSecond: 1 } });
  expect(diagnose([slow]).findings).toContainEqual(
    expect.objectContaining({ level: 'note', text: expect.stringContaining('relays 1.0 MB/s') }),
  );
});
