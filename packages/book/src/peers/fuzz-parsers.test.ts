import { randomInt } from 'node:crypto';
import { bookStatusSchema, encodeRelayFrame, peerLinkMessageSchema } from '@latent/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openBench } from '../book-bench.fixture.ts';
import { fuzzParsers } from './fuzz-parsers.fixture.ts';
import { parseLinkMessage } from './parse-link-message.ts';
import { createPeer, meeting, openChannel, openLink, settled, type TestLink } from './peer-bench.fixture.ts';

const COUNT = 100_000;
const [alice, bob] = [createPeer('alice'), createPeer('bob')];

describe('what strangers send', () => {
  it(`is parsed or refused, ${COUNT} times each, and nothing else happens`, () => {
    const taken = fuzzParsers(COUNT, randomInt(2 ** 31));
    // Good ones are among them, and others.
    for (const count of Object.values(taken)) {
      expect(count).toBeGreaterThan(COUNT / 10);
      expect(count).toBeLessThan(COUNT);
    }
  });

  it('is parsed to what it says where it is a message, whatever else it holds', () => {
    const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
    const messages = fc.oneof(
      fc.record({
        kind: fc.constant('introduce'),
        channel: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
        to: hex(64).map((digits) => `0x${digits}`),
        token: hex(32),
        addresses: fc.array(fc.constantFrom('203.0.113.7:1', '[2001:db8::1]:65535'), { maxLength: 12 }),
        streamId: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
      }),
      fc.record({ kind: fc.constant('close'), channel: fc.integer({ min: 1, max: 2 ** 32 - 1 }) }),
    );
    fc.assert(
      fc.property(
        messages,
        fc.dictionary(fc.stringMatching(/^x[a-z]{0,8}$/), fc.jsonValue({ maxDepth: 2 })),
        (message, more) => {
          const text = JSON.stringify({ ...more, ...message });
          fc.pre(text.length <= 8_192);
          expect(parseLinkMessage(Buffer.from(text))).toEqual(peerLinkMessageSchema.parse(message));
        },
      ),
    );
  });

  it('over real links leaves the book, and everybody else’s channels, as they were', async () => {
    await using bench = await openBench({ messagesPerMinute: 100_000 });
    const [from, to] = [await openLink(bench, alice), await openLink(bench, bob)];
    const number = await openChannel(from, 1, { peer: bob, link: to });
    await fc.assert(
      fc.asyncProperty(fc.array(anyInput(), { minLength: 1, maxLength: 90 }), async (inputs) => {
        const hostile = await openLink(bench, createPeer('hostile'), { accepts: false });
        for (const input of inputs) hostile.socket.send(input);
        await Promise.race([settled(hostile), hostile.closed]);
        hostile.socket.terminate();
      }),
      { numRuns: 100 },
    );
    await untilLinks(bench.get, 2);
    from.relay(1, Buffer.from('still here'));
    expect(await nextText(to)).toEqual([number, 'still here']);
    expect(to.frames()).toEqual([]);
  });
});

/** Of what somebody might try who knows the protocol. */
function anyInput(): fc.Arbitrary<string | Uint8Array> {
  const channel = fc.constantFrom(0, 1, 2 ** 31, 2 ** 31 + 1, 2 ** 32 - 1, 2 ** 32);
  const kind = fc.constantFrom('hello', 'introduce', 'answer', 'close', 'closed', 'welcome', 'toString');
  return fc.oneof(
    fc.string({ maxLength: 100 }),
    fc.json({ maxDepth: 3 }),
    fc.uint8Array({ maxLength: 100 }),
    fc
      .tuple(channel, fc.uint8Array({ maxLength: 50 }))
      .map(([number, payload]) => encodeRelayFrame(number % 2 ** 32, payload)),
    fc
      .record({ kind, channel, to: fc.constantFrom(createPeer('hostile').key, createPeer('nobody').key, 1) })
      .map((message) => JSON.stringify({ ...message, token: '0'.repeat(32), ...meeting })),
  );
}

async function untilLinks(get: (path: string) => Promise<{ readonly body: unknown }>, links: number): Promise<void> {
  while (bookStatusSchema.parse((await get('/v1/status')).body).links !== links);
}

async function nextText(link: TestLink): Promise<[number, string]> {
  const { channel, payload } = await link.nextFrame();
  return [channel, Buffer.from(payload).toString()];
}
