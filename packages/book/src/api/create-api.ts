import type { HttpBindings } from '@hono/node-server';
import { OpenAPIHono } from '@hono/zod-openapi';
import {
  type BookStatus,
  LatentError,
  MAX_BOOK_REQUEST_BYTES,
  matchRequestSchema,
  type RelayAnswer,
} from '@latent/protocol';
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { cors } from 'hono/cors';
import type { z } from 'zod';
import type { BookContext } from '../book-context.ts';
import { acceptAsk } from '../intake/accept-ask.ts';
import { publicError } from '../public-error.ts';
import { callerOf } from '../sockets/caller.ts';
import { toJson } from '../to-json.ts';
import { answerOrder, listAsks } from './answer-order.ts';
import { describeApi, pageSchema } from './describe-api.ts';
import { errorStatus } from './error-status.ts';

type Env = { Bindings: HttpBindings };

/** The HTTP API of a book. Every error leaves it as an `ErrorBody`. */
export function createApi(context: BookContext): OpenAPIHono<Env> {
  const { options, logger, kept, roster, requestLimiter, peers } = context;
  const app = new OpenAPIHono<Env>();

  app.use(cors({ origin: '*', allowMethods: ['GET', 'POST'], allowHeaders: ['content-type'], maxAge: 86_400 }));
  app.use(async (c, next) => {
    requestLimiter.admit(callerOf(c.env.incoming, options.proxies).place);
    await next();
  });
  app.use(bodyLimit({ maxSize: MAX_BOOK_REQUEST_BYTES, onError: refuseLargeBody }));

  app.post('/v1/asks', async (c) => {
    const taken = await acceptAsk(context, await readJson(c));
    return respond(c, taken, taken.state === 'accepted' ? 200 : 202);
  });
  app.get('/v1/asks', (c) => respond(c, listAsks(context, parse(pageSchema, c.req.query()))));
  app.post('/v1/orders', async (c) => {
    const { requirements } = parse(matchRequestSchema, await readJson(c));
    return respond(c, answerOrder(context, requirements));
  });
  app.get('/v1/status', (c) => {
    const { name } = options;
    const counts = { asks: kept.size, present: roster.size, ...peers.status() };
    return respond(c, { name, ...context.domain, ...counts } satisfies BookStatus);
  });
  app.get('/v1/relay', (c) => respond(c, context.paid.answer() satisfies RelayAnswer));
  describeApi(app);

  app.notFound((c) =>
    refuse(c, new LatentError('METHOD_UNKNOWN', 'There is nothing here.', { hint: 'See /openapi.json.' })),
  );
  app.onError((thrown, c) => {
    const error = publicError(thrown, logger);
    logger.debug({ code: error.code, path: c.req.path }, 'refused a request');
    return refuse(c, error);
  });
  return app;
}

function respond(c: Context<Env>, value: unknown, status: 200 | 202 = 200): Response {
  return c.body(toJson(value), status, { 'content-type': 'application/json' });
}

function refuse(c: Context<Env>, error: LatentError): Response {
  return c.body(toJson(error.toBody()), errorStatus(error.code), { 'content-type': 'application/json' });
}

function refuseLargeBody(): never {
  throw new LatentError('MESSAGE_TOO_LARGE', `A request can have ${MAX_BOOK_REQUEST_BYTES} bytes and no more.`);
}

async function readJson(c: Context<Env>): Promise<unknown> {
  try {
    return JSON.parse(await c.req.text());
  } catch (thrown) {
    throw new LatentError('MESSAGE_INVALID', 'The body is not JSON.', { cause: thrown });
  }
}

function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join('.') ?? '';
  throw new LatentError('MESSAGE_INVALID', `The field "${field.slice(0, 100)}" does not fit: ${issue?.message}.`, {
    details: { field },
  });
}
