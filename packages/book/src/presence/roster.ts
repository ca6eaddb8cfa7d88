import type { AskId, BookMessage } from '@latent/protocol';
import type { Address } from 'viem';

/** An agent's place in the roster while it is connected. */
export interface Seat {
  readonly agentKey: Address;
  /** Asks that the agent has sent over this connection: only these are present. What it signed in an earlier life, and may
   * no longer know of, is not. */
  readonly affirmed: Set<AskId>;
  /** As the agent last said; undefined if it said nothing. */
  freeDevices: number | undefined;
  readonly tell: (message: BookMessage) => void;
  readonly drop: () => void;
}

/** Which agents are connected now. In memory only: presence does not outlive the connection. */
export interface Roster {
  readonly size: number;
  of(agentKey: Address): Seat | undefined;
  /** Seats an agent. An older connection of the same agent is dropped: it is most likely dead without knowing it. */
  enter(seat: Seat): void;
  leave(seat: Seat): void;
}

export function createRoster(): Roster {
  const seats = new Map<Address, Seat>();
  return {
    get size() {
      return seats.size;
    },
    of: (agentKey) => seats.get(agentKey),
    enter: (seat) => {
      seats.get(seat.agentKey)?.drop();
      seats.set(seat.agentKey, seat);
    },
    leave: (seat) => {
      if (seats.get(seat.agentKey) === seat) seats.delete(seat.agentKey);
    },
  };
}
