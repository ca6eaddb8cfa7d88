import { LatentError } from '@latent/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createAgent, NOW } from '../book-bench.fixture.ts';
import { toJson } from '../to-json.ts';
import { MAX_ASK_SECONDS, parseAsk } from './parse-ask.ts';

function codeOf(value: unknown): string {
  try {
    parseAsk(value, NOW);
    return 'taken';
  } catch (thrown) {
    return thrown instanceof LatentError ? thrown.code : `not an error of ours: ${thrown}`;
  }
}

describe('parseAsk', () => {
  it('gives back what an agent signed, after a journey as JSON', async () => {
    const signed = await createAgent('a').ask();
    expect(parseAsk(JSON.parse(toJson(signed)), NOW)).toEqual(signed);
  });

  it('refuses anything at all with a code of its own', () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true }), (value) => {
        expect(codeOf(value)).toBe('MESSAGE_INVALID');
      }),
    );
  });

  it('refuses any value in the place of a field that does not fit, as out of range', async () => {
    const signed = await createAgent('a').ask();
    const fields = Object.keys(signed.ask);
    fc.assert(
      fc.property(fc.constantFrom(...fields), fc.anything(), (field, value) => {
        expect(codeOf({ ...signed, ask: { ...signed.ask, [field]: value } })).toMatch(/^(taken|ASK_OUT_OF_RANGE)$/);
      }),
    );
  });

  it('takes an ask for seven days and no longer', async () => {
    const agent = createAgent('a');
    expect(codeOf(await agent.ask({ validUntil: NOW + MAX_ASK_SECONDS }))).toBe('taken');
    expect(codeOf(await agent.ask({ validUntil: NOW + MAX_ASK_SECONDS + 1 }))).toBe('ASK_OUT_OF_RANGE');
  });
});
