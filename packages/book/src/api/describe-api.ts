import type { OpenAPIHono } from '@hono/zod-openapi';
import {
  asksAnswerSchema,
  askTakenSchema,
  bookStatusSchema,
  errorBodySchema,
  MAX_ASKS_PER_ANSWER,
  matchAnswerSchema,
  matchRequestSchema,
  PEER_LINK_PATH,
  relayAnswerSchema,
  signedAskSchema,
} from '@latent/protocol';
import type { Env } from 'hono';
import { z } from 'zod';

export const pageSchema = z.object({
  offset: z.coerce.number().int().min(0).max(1_000_000).default(0),
  limit: z.coerce.number().int().min(1).max(MAX_ASKS_PER_ANSWER).default(100),
});

const json = (schema: z.ZodType, description: string) => ({ description, content: { 'application/json': { schema } } });
const refusal = json(errorBodySchema, 'Refused; `code` says why.');

/** Describes the routes of `createApi` in the OpenAPI document that the app serves. */
export function describeApi<E extends Env>(app: OpenAPIHono<E>): void {
  const registry = app.openAPIRegistry;
  registry.registerPath({
    method: 'post',
    path: '/v1/asks',
    summary: 'Take in a signed ask',
    request: { body: json(signedAskSchema, 'The ask, as its agent signed it.') },
    responses: {
      200: json(askTakenSchema, 'Kept and served, also if it was before.'),
      202: json(askTakenSchema, 'Kept; served once the chain answers.'),
      default: refusal,
    },
  });
  registry.registerPath({
    method: 'get',
    path: '/v1/asks',
    summary: 'List the asks, cheapest first',
    request: { query: pageSchema },
    responses: { 200: json(asksAnswerSchema, 'A page of them, and how many there are.'), default: refusal },
  });
  registry.registerPath({
    method: 'post',
    path: '/v1/orders',
    summary: 'Match an order',
    request: { body: json(matchRequestSchema, 'What is wanted, and the most that is paid.') },
    responses: {
      200: json(matchAnswerSchema, 'The asks considered, the choice among them, and why not the others.'),
      default: refusal,
    },
  });
  registry.registerPath({
    method: 'get',
    path: '/v1/status',
    summary: 'State of this book',
    responses: { 200: json(bookStatusSchema, 'Which book this is and how much it holds.'), default: refusal },
  });
  registry.registerPath({
    method: 'get',
    path: '/v1/relay',
    summary: 'What is relayed for payment',
    responses: { 200: json(relayAnswerSchema, 'The offer, signed; and how its operator takes the relay in.') },
  });
  registry.registerPath({
    method: 'get',
    path: '/v1/presence',
    summary: 'WebSocket by which an agent is present',
    responses: { 101: { description: 'Then messages of JSON: the book challenges, the agent answers with a hello.' } },
  });
  registry.registerPath({
    method: 'get',
    path: PEER_LINK_PATH,
    summary: 'WebSocket by which a peer is introduced to others, and relayed',
    responses: {
      101: {
        description: 'Then messages of JSON, challenge and hello first; and bytes: a channel, and what it relays.',
      },
    },
  });
  app.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: { title: 'Latent book', version: '1', description: 'Order-book node. Believe only what is signed.' },
  });
}
