import {
  type AgentMessage,
  type AskId,
  agentMessageSchema,
  type BookMessage,
  hex32Schema,
  isPresenceOf,
  LatentError,
} from '@latent/protocol';
import { bytesToHex } from 'viem';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import type { BookContext } from '../book-context.ts';
import { acceptAsk } from '../intake/accept-ask.ts';
import { createRateLimiter } from '../intake/rate-limiter.ts';
import { publicError } from '../public-error.ts';
import type { Seat } from './roster.ts';

/** How long a connection may stay without having shown whose it is. */
export const HELLO_MS = 10_000;
/** How often a connection is pinged; it is dropped when the next ping is due and the last one was not answered. */
export const PING_MS = 20_000;
/** Refused messages after which the sender is taken for hostile, or broken. */
const MAX_REFUSED = 100;
/** Bytes that may wait for a peer that does not read. */
const MAX_UNSENT_BYTES = 256 * 1024;

/** An ask is parsed by the intake, which knows the code for each way in which it can be wrong. */
const askEnvelopeSchema = z.object({ kind: z.literal('ask'), signed: z.unknown() });

/** Carries one presence connection from its challenge to its end. Messages are handled one after the other. */
export function carryConnection(context: BookContext, socket: WebSocket): void {
  const { clock, logger, roster } = context;
  const challenge = hex32Schema.parse(bytesToHex(context.randomBytes(32)));
  const limiter = createRateLimiter(context.options.messagesPerMinute, clock);
  const ended = new AbortController();
  let seat: Seat | undefined;
  let refused = 0;
  let handled = Promise.resolve();

  const send = (message: BookMessage) => {
    if (socket.bufferedAmount > MAX_UNSENT_BYTES) socket.terminate();
    else if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
  };
  const refuse = (thrown: unknown) => {
    const { code, message } = publicError(thrown, logger).toBody();
    logger.debug({ code, agent: seat?.agentKey }, 'refused a message');
    send({ kind: 'refused', code, message });
    refused += 1;
    if (seat === undefined || refused > MAX_REFUSED) socket.close(POLICY_VIOLATION, code);
  };
  const handle = async (value: unknown) => {
    seat ??= await enter(context, value, challenge, { tell: send, drop: () => socket.terminate() });
    if (ended.signal.aborted) roster.leave(seat);
    else await obey(context, seat, value);
  };

  socket.on('message', (data, isBinary) => {
    try {
      limiter.admit('this connection');
      const value = parseJson(data.toString(), isBinary);
      handled = handled.then(() => handle(value)).catch(refuse);
    } catch (thrown) {
      refuse(thrown);
    }
  });
  socket.on('error', (error) => logger.debug({ error: error.message }, 'a presence connection failed'));
  socket.on('close', () => {
    ended.abort();
    if (seat === undefined) return;
    roster.leave(seat);
    logger.info({ agent: seat.agentKey }, 'agent is gone');
  });

  const signal = AbortSignal.any([ended.signal, context.signal]);
  void dropStranger(socket, () => seat === undefined, clock.sleep(HELLO_MS, { signal }));
  void keepPinging(socket, () => clock.sleep(PING_MS, { signal }));
  send({ kind: 'challenge', challenge });
}

const POLICY_VIOLATION = 1008;

/** The first message has to show whose connection this is. */
async function enter(
  context: BookContext,
  value: unknown,
  challenge: `0x${string}`,
  ends: Pick<Seat, 'tell' | 'drop'>,
): Promise<Seat> {
  const hello = agentMessageSchema.safeParse(value);
  if (!hello.success || hello.data.kind !== 'hello') {
    throw new LatentError('NOT_ALLOWED', 'The first message has to be a hello.');
  }
  const { agentKey, signature } = hello.data;
  const shown = { agentKey, challenge, signature };
  const isOurs = await Promise.all(context.urls.map((book) => isPresenceOf(context.domain, { ...shown, book })));
  if (!isOurs.includes(true)) {
    throw new LatentError('NOT_ALLOWED', `The challenge is not signed by agent ${agentKey} for this book.`, {
      hint: `It may have been signed for another chain or escrow, or for a URL that is none of ${context.urls.join(', ')}.`,
    });
  }
  const seat: Seat = { agentKey, affirmed: new Set(), freeDevices: undefined, ...ends };
  context.roster.enter(seat);
  context.logger.info({ agent: agentKey }, 'agent is present');
  seat.tell({ kind: 'present' });
  return seat;
}

async function obey(context: BookContext, seat: Seat, value: unknown): Promise<void> {
  const ask = askEnvelopeSchema.safeParse(value);
  if (ask.success) {
    const { id, state } = await acceptAsk(context, ask.data.signed, seat.agentKey);
    seat.affirmed.add(id);
    if (state === 'accepted') seat.tell({ kind: 'ask-accepted', ask: id });
    return;
  }
  const parsed = agentMessageSchema.safeParse(value);
  if (!parsed.success) {
    throw new LatentError('MESSAGE_INVALID', `Not a message of an agent: ${parsed.error.issues[0]?.message}.`);
  }
  const message: AgentMessage = parsed.data;
  switch (message.kind) {
    case 'free':
      return setFree(context, seat, message.freeDevices);
    case 'withdraw':
      return withdraw(context, seat, message.ask);
    case 'hello':
    case 'ask':
      return;
    default:
      return message satisfies never;
  }
}

function setFree({ kept }: BookContext, seat: Seat, freeDevices: number): void {
  const asks = kept.ofAgent(seat.agentKey);
  const offered = Math.max(0, ...asks.map(({ signed }) => signed.ask.devices));
  if (asks.length > 0 && freeDevices > offered) {
    throw new LatentError('ASK_OVERSOLD', `${freeDevices} devices cannot be free of ${offered} on offer.`, {
      details: { agentKey: seat.agentKey, freeDevices, offered },
    });
  }
  seat.freeDevices = freeDevices;
}

function withdraw({ kept, logger }: BookContext, seat: Seat, ask: AskId): void {
  const known = kept.find(ask);
  if (known !== undefined && known.signed.ask.agentKey !== seat.agentKey) {
    throw new LatentError('NOT_ALLOWED', `Ask ${ask} is another agent's.`);
  }
  seat.affirmed.delete(ask);
  if (known === undefined) return;
  kept.drop([ask]);
  logger.info({ ask, agent: seat.agentKey }, 'ask withdrawn');
}

async function dropStranger(socket: WebSocket, isStranger: () => boolean, waited: Promise<void>): Promise<void> {
  if (await waited.then(() => isStranger(), isAborted)) socket.terminate();
}

async function keepPinging(socket: WebSocket, wait: () => Promise<void>): Promise<void> {
  let isAlive = true;
  socket.on('pong', () => {
    isAlive = true;
  });
  while (await wait().then(() => true, isAborted)) {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  }
}

/** A wait ends early only because the connection or the book does. */
const isAborted = () => false;

function parseJson(text: string, isBinary: boolean): unknown {
  try {
    if (!isBinary) return JSON.parse(text);
  } catch (thrown) {
    throw new LatentError('MESSAGE_INVALID', 'The message is not JSON.', { cause: thrown });
  }
  throw new LatentError('MESSAGE_INVALID', 'The message is not text.');
}
