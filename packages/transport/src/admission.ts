/** How many connections a listener serves at once; more are dropped before a byte of theirs is read. */
export interface ConnectionLimits {
  /** All together. */
  readonly maxConnections: number;
  /** Those whose key is not proven yet. One address gets a quarter of them at most, so that it cannot keep the others out. */
  readonly maxHandshakes: number;
  /** From one IPv4 address, or one IPv6 network of 64 bits (which a single customer usually gets whole). */
  readonly maxConnectionsPerAddress: number;
}

export const defaultConnectionLimits: ConnectionLimits = {
  maxConnections: 4096,
  maxHandshakes: 512,
  maxConnectionsPerAddress: 512,
};

const HANDSHAKES_PER_ADDRESS = 1 / 4;

/** The place one connection takes up. Both calls may be repeated. */
export interface Admitted {
  /** The key was proven. */
  handshakeDone(): void;
  release(): void;
}

/** Counts the connections of one listener. */
export class Admission {
  readonly #limits: ConnectionLimits;
  readonly #perAddress = new Map<string, { connections: number; handshakes: number }>();
  #connections = 0;
  #handshakes = 0;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
  }

  /** Undefined when a limit is reached. */
  admit(remoteAddress: string): Admitted | undefined {
    const { maxConnections, maxHandshakes, maxConnectionsPerAddress } = this.#limits;
    const source = toSource(remoteAddress);
    const fromSource = this.#perAddress.get(source) ?? { connections: 0, handshakes: 0 };
    if (this.#connections >= maxConnections) return undefined;
    if (this.#handshakes >= maxHandshakes) return undefined;
    if (fromSource.connections >= maxConnectionsPerAddress) return undefined;
    if (fromSource.handshakes >= Math.ceil(maxHandshakes * HANDSHAKES_PER_ADDRESS)) return undefined;
    this.#connections += 1;
    this.#handshakes += 1;
    fromSource.connections += 1;
    fromSource.handshakes += 1;
    this.#perAddress.set(source, fromSource);
    return this.#createAdmitted(source, fromSource);
  }

  #createAdmitted(source: string, fromSource: { connections: number; handshakes: number }): Admitted {
    let inHandshake = true;
    let released = false;
    const handshakeDone = () => {
      if (!inHandshake) return;
      inHandshake = false;
      this.#handshakes -= 1;
      fromSource.handshakes -= 1;
    };
    const release = () => {
      handshakeDone();
      if (released) return;
      released = true;
      this.#connections -= 1;
      fromSource.connections -= 1;
      if (fromSource.connections === 0) this.#perAddress.delete(source);
    };
    return { handshakeDone, release };
  }
}

/** What counts as one source: the IPv4 address, or the first 64 bits of an IPv6 one. */
function toSource(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  const [bare = ''] = address.split('%');
  if (!bare.includes(':')) return bare;
  const [head = '', tail] = bare.split('::');
  const headGroups = head === '' ? [] : head.split(':');
  if (tail === undefined) return headGroups.slice(0, 4).join(':');
  const tailGroups = tail === '' ? [] : tail.split(':');
  const zeros = new Array<string>(Math.max(0, 8 - headGroups.length - tailGroups.length)).fill('0');
  return [...headGroups, ...zeros, ...tailGroups].slice(0, 4).join(':');
}
