import { bookStatusSchema } from '@latent/protocol';
import { describe, expect, it } from 'vitest';
import { openBench } from '../book-bench.fixture.ts';
import { createPeer, openChannel, openLink } from './peer-bench.fixture.ts';

describe('smoke', () => {
  it('works', async () => {
    await using bench = await openBench();
    const [a, b] = [createPeer('a'), createPeer('b')];
    const one = await openLink(bench, a);
    const two = await openLink(bench, b);
    const number = await openChannel(one, 1, { peer: b, link: two });
    one.relay(1, Buffer.from('hello'));
    const frame = await two.nextFrame();
    expect(frame.channel).toBe(number);
    expect(Buffer.from(frame.payload).toString()).toBe('hello');
    expect(bookStatusSchema.parse((await bench.get('/v1/status')).body)).toMatchObject({
      links: 2,
      channels: 1,
      relayedBytes: 9,
    });
  });
});
