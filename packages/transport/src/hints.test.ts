import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bookHint, MAX_HINTS, parseHints, udpHint } from './hints.ts';

describe('hints', () => {
  test('are taken apart by what they are, in their order; other transports keep theirs', () => {
    const hints = [
      'book+https://b.example',
      'udp://203.0.113.7:4433',
      'tcp://203.0.113.7:4433',
      'quic://x',
      'udp://[2001:db8::7]:4433',
      'book+http://127.0.0.1:8080',
    ];
    expect(parseHints(hints)).toEqual({
      udp: ['203.0.113.7:4433', '[2001:db8::7]:4433'],
      books: ['https://b.example', 'http://127.0.0.1:8080'],
    });
  });

  test('that we make ourselves are read back', () => {
    expect(parseHints([udpHint('203.0.113.7:1'), bookHint('https://b.example')])).toEqual({
      udp: ['203.0.113.7:1'],
      books: ['https://b.example'],
    });
  });

  test('beyond the eighth are not looked at, nor those that are very long', () => {
    const hints = Array.from({ length: MAX_HINTS + 5 }, (_, index) => `udp://203.0.113.7:${index + 1}`);
    expect(parseHints(hints).udp).toHaveLength(MAX_HINTS);
    expect(parseHints([`udp://${'9'.repeat(295)}`, `book+https://${'b'.repeat(300)}.example`])).toEqual({
      udp: [],
      books: [],
    });
  });

  test.each([
    'book+https://',
    'book+https:// x',
    'book+ftp://b.example',
    'book+https://b.example:99999',
    'book+http://[::1',
    'BOOK+https://b.example',
    ' udp://203.0.113.7:1',
    'udp://',
  ])('%s is none', (hint) => {
    expect(parseHints([hint])).toEqual({ udp: [], books: [] });
  });

  test('of strangers never throw, and a book is always a URL', () => {
    const nearly = fc.tuple(
      fc.constantFrom('udp://', 'book+http://', 'book+https://', ''),
      fc.string({ unit: 'binary', maxLength: 60 }),
    );
    fc.assert(
      fc.property(
        fc.array(
          nearly.map((parts) => parts.join('')),
          { maxLength: 12 },
        ),
        (hints) => {
          const { udp, books } = parseHints(hints);
          expect(udp.length + books.length).toBeLessThanOrEqual(MAX_HINTS);
          for (const book of books) expect(['http:', 'https:']).toContain(new URL(book).protocol);
        },
      ),
    );
  });
});
