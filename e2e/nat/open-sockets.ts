import { fileURLToPath } from 'node:url';
import type { Lab } from './lab.ts';
import type { LabProcess } from './lab-process.ts';
import type { Family } from './lab-spec.ts';
import { type Heard, type Said, type SocketOrder, saidSchema } from './sockets-messages.ts';

const PROGRAM = fileURLToPath(new URL('./sockets-process.ts', import.meta.url));

type Answer = Extract<Said, { kind: 'answer' }>;

/** Where a datagram came from, or is sent to. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export interface UdpSocket {
  /** Its own port, which a router may change. */
  readonly port: number;
  /** Gives the error code of the system, or nothing when all went out. */
  send(to: Endpoint, ...texts: readonly string[]): Promise<string | undefined>;
  /** All it has heard, in order. */
  readonly heard: readonly Heard[];
  /** Waits for a text, and gives where it came from. */
  hear(text: string): Promise<Endpoint>;
}

/** Sockets of one process at a place. */
export interface Sockets {
  bindUdp(family?: Family, port?: number): Promise<UdpSocket>;
  /** TCP, at a port that it gives; says to who connects how their address looks. */
  listen(): Promise<number>;
  /** What was said, or the error code of the system. */
  connect(to: Endpoint): Promise<string>;
}

export function openSockets<Place extends string>(lab: Lab<Place>, place: Place): Sockets {
  const child = lab.run(place, process.execPath, [PROGRAM]);
  const answered: ((answer: Answer) => void)[] = [];
  const ears: ((heard: Heard) => void)[] = [];
  const over = read(child, (said) => {
    if (said.kind === 'answer') answered.shift()?.(said);
    else ears[said.socket]?.(said);
  });
  // Whoever waits then is told.
  over.catch(() => undefined);
  const ask = (order: SocketOrder): Promise<Answer> => {
    const answer = new Promise<Answer>((resolve) => answered.push(resolve));
    child.say(JSON.stringify(order));
    return Promise.race([answer, over]);
  };
  return {
    bindUdp: async (family = 4, wanted = 0) => {
      const heard: Heard[] = [];
      const waiting = new Set<() => void>();
      // Datagrams may come before the answer does.
      const socket = ears.push((one) => {
        heard.push(one);
        for (const look of waiting) look();
      });
      const { text } = await ask({ kind: 'bind', family, port: wanted });
      const hear = (expected: string) =>
        new Promise<Endpoint>((resolve) => {
          const look = () => {
            const found = heard.find((one) => one.text === expected);
            if (found === undefined) return;
            waiting.delete(look);
            resolve(found);
          };
          waiting.add(look);
          look();
        });
      return {
        port: Number(text),
        heard,
        send: async ({ host, port }, ...texts) =>
          (await ask({ kind: 'send', socket: socket - 1, texts, host, port })).text,
        hear: (expected) => Promise.race([hear(expected), over]),
      };
    },
    listen: async () => (await ask({ kind: 'listen' })).number ?? 0,
    connect: async ({ host, port }) => (await ask({ kind: 'connect', host, port })).text ?? '',
  };
}

/** Until the process ends, which is an error to whoever waits. */
async function read(child: LabProcess, take: (said: Said) => void): Promise<never> {
  for (;;) {
    const [line] = await child.line(/.*/);
    take(saidSchema.parse(JSON.parse(line)));
  }
}
