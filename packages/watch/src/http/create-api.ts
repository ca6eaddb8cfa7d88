import type { HttpBindings } from '@hono/node-server';
import { type Logger, StoreError } from '@latent/kit';
import {
  claimHandedSchema,
  type ErrorCode,
  LatentError,
  MAX_WATCH_REQUEST_BYTES,
  toLatentError,
  voucherHandedSchema,
} from '@latent/protocol';
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import type { z } from 'zod';
import { takeClaim } from '../papers/take-claim.ts';
import { takeVoucher } from '../papers/take-voucher.ts';
import { toJson } from '../to-json.ts';
import type { WatchContext } from '../watch-context.ts';
import { createRateLimiter } from './rate-limiter.ts';
import { watchStatus } from './watch-status.ts';

type Env = { Bindings: HttpBindings };

/** The HTTP API. Every error leaves it as an `ErrorBody`. What costs more comes later: size, rate, schema, signature, lease. */
export function createApi(context: WatchContext): Hono<Env> {
  const { options, clock, logger, kind } = context;
  const app = new Hono<Env>();
  const perAddress = createRateLimiter(options.requestsPerMinute, clock);
  const inAll = createRateLimiter(options.requestsPerMinuteInAll, clock);

  app.use(async (c, next) => {
    perAddress.admit(c.env.incoming.socket.remoteAddress ?? 'unknown');
    inAll.admit('all');
    await next();
  });
  app.use(bodyLimit({ maxSize: MAX_WATCH_REQUEST_BYTES, onError: refuseLargeBody }));

  app.post('/v1/vouchers', async (c) =>
    respond(c, await takeVoucher(context, parse(voucherHandedSchema, await readJson(c)))),
  );
  if (kind === 'keeper') {
    app.post('/v1/closes', async (c) =>
      respond(c, await takeClaim(context, parse(claimHandedSchema, await readJson(c)), false)),
    );
    app.post('/v1/leavings', async (c) =>
      respond(c, await takeClaim(context, parse(claimHandedSchema, await readJson(c)), true)),
    );
  }
  app.get('/v1/status', (c) => respond(c, watchStatus(context)));

  app.notFound((c) => refuse(c, new LatentError('METHOD_UNKNOWN', `A ${kind} has nothing here.`)));
  app.onError((thrown, c) => {
    const error = publicError(thrown, logger);
    logger.debug({ code: error.code, path: c.req.path }, 'refused a request');
    return refuse(c, error);
  });
  return app;
}

function respond(c: Context<Env>, value: unknown): Response {
  return c.body(toJson(value), 200, { 'content-type': 'application/json' });
}

function refuse(c: Context<Env>, error: LatentError): Response {
  return c.body(toJson(error.toBody()), statusOf(error.code), { 'content-type': 'application/json' });
}

function refuseLargeBody(): never {
  throw new LatentError('MESSAGE_TOO_LARGE', `A request can have ${MAX_WATCH_REQUEST_BYTES} bytes and no more.`);
}

async function readJson(c: Context<Env>): Promise<unknown> {
  try {
    return JSON.parse(await c.req.text());
  } catch (thrown) {
    // The body limit speaks while the body is read.
    if (thrown instanceof LatentError) throw thrown;
    throw new LatentError('MESSAGE_INVALID', 'The body is not JSON.', { cause: thrown });
  }
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = (issue?.path.join('.') ?? '').slice(0, 100);
  throw new LatentError('MESSAGE_INVALID', `The field "${field}" does not fit: ${issue?.message.slice(0, 200)}.`, {
    details: { field },
  });
}

/** What a stranger may know of an error. One that was not written for strangers may hold anything: it goes to the log. */
function publicError(thrown: unknown, logger: Logger): LatentError {
  if (thrown instanceof StoreError) {
    logger.error({ error: thrown }, 'the store failed');
    return new LatentError('STORE_FAILED', 'It could not be stored.', { hint: 'Try again later.' });
  }
  const error = toLatentError(thrown);
  if (error.code !== 'INTERNAL') return error;
  logger.error({ error: thrown }, 'a request could not be handled');
  return new LatentError('INTERNAL', 'It could not be handled.');
}

function statusOf(code: ErrorCode): 400 | 403 | 404 | 409 | 413 | 422 | 429 | 500 | 503 {
  switch (code) {
    case 'MESSAGE_INVALID':
      return 400;
    case 'NOT_ALLOWED':
      return 403;
    case 'METHOD_UNKNOWN':
      return 404;
    case 'LEASE_NOT_ACTIVE':
      return 409;
    case 'MESSAGE_TOO_LARGE':
      return 413;
    case 'LEASE_MISMATCH':
    case 'VOUCHER_BAD_SIGNATURE':
      return 422;
    case 'WATCH_RATE_LIMITED':
      return 429;
    case 'STORE_FAILED':
    case 'CANCELLED':
      return 503;
    default:
      return 500;
  }
}
