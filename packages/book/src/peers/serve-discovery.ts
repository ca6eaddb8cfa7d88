import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import type { Logger } from '@latent/kit';
import { LatentError } from '@latent/protocol';
import type { RateLimiter } from '../intake/rate-limiter.ts';
import { ipPlace } from '../sockets/ip-address.ts';
import { answerQuestion } from './answer-question.ts';

/** Answers that may wait to be sent; beyond, questions are lost, as packets may be. */
const MAX_UNSENT_ANSWERS = 1_000;

export interface DiscoveryOptions {
  /** IP address or name of this machine. `::` serves IPv4 too. */
  readonly address: string;
  /** 0 for any free one. */
  readonly ports: readonly [number, number];
}

export interface DiscoveryDependencies {
  /** Per place that asks. */
  readonly limiter: RateLimiter;
  readonly logger: Logger;
}

export interface RunningDiscovery {
  readonly ports: [number, number];
  close(): Promise<void>;
}

/**
 * Tells by UDP, on two ports, from which address a question came.
 * @throws LatentError CONFIG_INVALID if a port cannot be had
 */
export async function serveDiscovery(
  { address, ports }: DiscoveryOptions,
  { limiter, logger }: DiscoveryDependencies,
): Promise<RunningDiscovery> {
  const one = await bind(address, ports[0]);
  const other = await bind(address, ports[1]).catch(async (thrown: unknown) => {
    await closeSocket(one);
    throw thrown;
  });
  serve(one, other);
  serve(other, one);
  return {
    ports: [one.address().port, other.address().port],
    close: async () => {
      await Promise.all([one, other].map(closeSocket));
    },
  };

  function serve(asked: Socket, second: Socket): void {
    asked.on('error', (error) => logger.debug({ error: error.message }, 'a socket of address discovery failed'));
    asked.on('message', (packet, source) => {
      const answered = answerQuestion(packet, source);
      if (answered === undefined || !limiter.isAdmitted(ipPlace(source.address))) return;
      const socket = answered.isFromOther ? second : asked;
      if (socket.getSendQueueCount() > MAX_UNSENT_ANSWERS) return;
      // A lost answer is asked for again.
      socket.send(answered.answer, source.port, source.address, () => undefined);
    });
  }
}

async function bind(address: string, port: number): Promise<Socket> {
  try {
    const found = await lookup(address);
    const socket = createSocket(found.family === 6 ? 'udp6' : 'udp4');
    try {
      socket.bind({ address: found.address, port });
      await once(socket, 'listening');
    } catch (thrown) {
      socket.close();
      throw thrown;
    }
    return socket;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : 'unknown';
    throw new LatentError('CONFIG_INVALID', `UDP port ${port} of ${address} cannot be had: ${reason}.`, {
      hint: 'Set other discoveryPorts, or 0 for any free ones; or discovery to false.',
      cause,
    });
  }
}

function closeSocket(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.close(() => resolve()));
}
