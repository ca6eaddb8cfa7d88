import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { errorCodes, isErrorCode } from './codes.ts';
import { type ErrorDetail, errorBodySchema, LatentError, toLatentError } from './latent-error.ts';

const codes = fc.constantFrom(...Object.keys(errorCodes).filter(isErrorCode));
const details = fc.dictionary(
  fc.string({ maxLength: 100 }),
  fc.oneof(
    fc.string({ maxLength: 3_000 }),
    fc.double(),
    fc.boolean(),
    fc.bigInt(),
    fc.constant(null),
    fc.array(fc.string({ maxLength: 600 }), { maxLength: 120 }),
  ),
);

describe('LatentError', () => {
  it('comes back from its body as it was, within the bounds of the wire', () => {
    const error = new LatentError('ASK_EXPIRED', 'Ask 0x1 was valid until 5.', {
      hint: 'Sign a new one.',
      retry: 'later',
      details: { ask: '0x1', validUntil: 5, units: 12n, free: null, all: ['a', 'b'], present: false },
    });
    const back = LatentError.fromBody(errorBodySchema.parse(JSON.parse(JSON.stringify(error.toBody()))));
    expect(back).toMatchObject({ code: 'ASK_EXPIRED', message: error.message, hint: error.hint, retry: 'later' });
    expect(back.details).toEqual({ ...error.details, units: '12' });
  });

  it('always has a body that its schema takes, whatever it tells', () => {
    fc.assert(
      fc.property(codes, fc.string({ maxLength: 3_000 }), fc.string({ maxLength: 2_000 }), details, (...error) => {
        const [code, message, hint, told] = error;
        const body = new LatentError(code, message, {
          hint,
          details: told satisfies Record<string, ErrorDetail>,
        }).toBody();
        expect(errorBodySchema.parse(JSON.parse(JSON.stringify(body)))).toMatchObject({
          code,
          retry: errorCodes[code].retry,
        });
      }),
    );
  });

  it('never puts a cause or a stack into its body', () => {
    const body = new LatentError('INTERNAL', 'It broke.', { cause: new Error('secret path') }).toBody();
    expect(Object.keys(body)).toEqual(['code', 'message', 'retry']);
  });

  it('keeps the text of a code that it does not know', () => {
    const back = LatentError.fromBody({ code: 'FROM_THE_FUTURE', message: 'New.', retry: 'now' });
    expect(back).toMatchObject({ code: 'INTERNAL', message: 'FROM_THE_FUTURE: New.', retry: 'now' });
  });

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])('takes %s for no code', (code) => {
    expect(LatentError.fromBody({ code, message: 'm', retry: 'now' }).code).toBe('INTERNAL');
  });

  it('lets no peer write to the terminal through an error', () => {
    const hostile = { code: 'INTERNAL', message: 'a\u001b[2Jb\nc\u202ed', hint: '\u0007', retry: 'now' } as const;
    const back = LatentError.fromBody(hostile);
    expect(back.message).toBe('a\ufffd[2Jb\ufffdc\ufffdd');
    expect(back.hint).toBe('\ufffd');
  });

  it.each([
    ['no object', null],
    ['an unknown retry', { code: 'INTERNAL', message: 'm', retry: 'always' }],
    ['a message that is too long', { code: 'INTERNAL', message: 'm'.repeat(2_001), retry: 'now' }],
    ['nested details', { code: 'INTERNAL', message: 'm', retry: 'now', details: { deep: { deeper: 1 } } }],
    [
      'a long list of details',
      { code: 'INTERNAL', message: 'm', retry: 'now', details: { all: Array(101).fill('x') } },
    ],
  ])('refuses a body with %s', (_, body) => {
    expect(errorBodySchema.safeParse(body).success).toBe(false);
  });

  it('takes nothing over from a prototype in a body', () => {
    const body = errorBodySchema.parse(
      JSON.parse('{"code":"INTERNAL","message":"m","retry":"now","details":{"__proto__":{"polluted":true},"a":1}}'),
    );
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
    expect(LatentError.fromBody(body).details).toEqual({ a: 1 });
  });
});

describe('toLatentError', () => {
  it('makes an error of anything that can be thrown, in one line', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.anything({ withNullPrototype: true }),
          fc.string().map((text) => new Error(text)),
        ),
        (thrown) => {
          const error = toLatentError(thrown);
          expect(error.code).toBe('INTERNAL');
          expect(Object.is(error.cause, thrown)).toBe(true);
          expect(error.message).not.toContain('\n');
        },
      ),
    );
  });

  it('tells a stop by the caller from a limit that passed, and keeps an error as it is', () => {
    const own = new LatentError('ASK_EXPIRED', 'Over.');
    expect(toLatentError(own)).toBe(own);
    expect(toLatentError(AbortSignal.abort().reason).code).toBe('CANCELLED');
    expect(toLatentError(new DOMException('late', 'TimeoutError')).code).toBe('TIMED_OUT');
    expect(toLatentError(Object.assign(new Error('x', { cause: own }), { name: 'AbortError' }))).toBe(own);
  });
});
