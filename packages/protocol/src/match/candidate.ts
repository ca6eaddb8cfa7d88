import type { AskId } from '../ids.ts';
import type { Ask, Resource } from '../messages/ask.ts';

/** An ask that has been checked, with what is known of its machine now. */
export interface Candidate {
  readonly id: AskId;
  readonly ask: Ask;
  readonly resource: Resource;
  /** Devices not in a lease or hold, as far as known; at most `ask.devices`. */
  readonly freeDevices: number;
  /** Whether the agent is connected to a book now. */
  readonly present: boolean;
}
