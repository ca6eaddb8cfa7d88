import { every } from '../timers.ts';

export interface HeartbeatOptions {
  /** A path on which nothing came for so long, though something was asked, is dead. */
  readonly pathTimeoutMs: number;
  /** How long a path may be silent before it is asked for a sign of life. */
  readonly patienceMs: () => number;
  /** Asks for a sign of life. */
  readonly ping: () => void;
  /** None came. */
  readonly onDead: () => void;
}

/** Only silence tells that a path is dead: nobody says so, and what is sent into it goes unanswered. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #stopTimer: () => void;
  #heardMs = performance.now();
  #beatMs = performance.now();
  #pingedMs: number | undefined;
  #roundTripMs: number | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
    this.#stopTimer = every(Math.ceil(options.pathTimeoutMs / 4), () => this.#beat());
  }

  /** Of the last ping, in milliseconds. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** Another path takes over. */
  restart(): void {
    this.#heardMs = performance.now();
    this.#pingedMs = undefined;
  }

  /** Something came on the path. */
  heard(): void {
    this.#heardMs = performance.now();
  }

  /** The answer to a ping came. */
  answered(): void {
    if (this.#pingedMs !== undefined) this.#roundTripMs = performance.now() - this.#pingedMs;
    this.#pingedMs = undefined;
  }

  /** Asks for a sign of life now, unless that was done. */
  check(): void {
    if (this.#pingedMs !== undefined) return;
    this.#pingedMs = performance.now();
    this.#options.ping();
  }

  stop(): void {
    this.#stopTimer();
  }

  #beat(): void {
    const { pathTimeoutMs, patienceMs } = this.#options;
    const now = performance.now();
    const isLate = now - this.#beatMs > pathTimeoutMs / 2;
    this.#beatMs = now;
    // This process was held up, so that it has not yet heard what has come meanwhile.
    if (isLate) return;
    const isUnanswered =
      this.#pingedMs !== undefined && now - Math.max(this.#pingedMs, this.#heardMs) >= pathTimeoutMs / 2;
    if (isUnanswered) this.#options.onDead();
    else if (now - this.#heardMs >= patienceMs()) this.check();
  }
}
