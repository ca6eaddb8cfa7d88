import { z } from 'zod';
import { type ErrorCode, errorCodes, isErrorCode, type Retry } from './codes.ts';

/** A value worth showing with an error. `bigint` is shown in decimal. */
export type ErrorDetail = string | number | boolean | bigint | null | readonly string[];

export interface LatentErrorOptions {
  /** What to do about it, in one sentence. */
  readonly hint?: string;
  readonly details?: Readonly<Record<string, ErrorDetail>>;
  readonly cause?: unknown;
  /** Overrides the retry of the code. */
  readonly retry?: Retry;
}

/** How an error travels: HTTP bodies, agent replies, `--json` output. */
export const errorBodySchema = z.object({
  code: z.string().max(64),
  message: z.string().max(2000),
  hint: z.string().max(1000).optional(),
  retry: z.enum(['never', 'later', 'now']),
  details: z
    .record(
      z.string().max(64),
      z.union([z.string().max(2000), z.number(), z.boolean(), z.null(), z.array(z.string().max(500)).max(100)]),
    )
    .optional(),
});
export type ErrorBody = z.infer<typeof errorBodySchema>;

/**
 * The one error class of Latent: a stable code, what happened with values, what to do, whether a retry can help,
 * and the cause. Its message never holds a stack trace or bytes from the network.
 */
export class LatentError extends Error {
  override readonly name = 'LatentError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly retry: Retry;
  readonly details: Readonly<Record<string, ErrorDetail>>;

  constructor(code: ErrorCode, message: string, options: LatentErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.retry = options.retry ?? errorCodes[code].retry;
    this.details = options.details ?? {};
  }

  toBody(): ErrorBody {
    const details = Object.fromEntries(
      Object.entries(this.details).map(([key, value]) => [key.slice(0, 64), boundedDetail(value)]),
    );
    return {
      code: this.code,
      message: this.message.slice(0, 2000),
      ...(this.hint === undefined ? {} : { hint: this.hint.slice(0, 1000) }),
      retry: this.retry,
      ...(Object.keys(details).length === 0 ? {} : { details }),
    };
  }

  /**
   * Rebuilds an error that a peer sent. A code that is not known here becomes `INTERNAL`, its text kept; characters that
   * a terminal would act on are replaced.
   */
  static fromBody(body: ErrorBody): LatentError {
    const { code } = body;
    const known = isErrorCode(code);
    const message = visible(known ? body.message : `${code}: ${body.message}`);
    return new LatentError(known ? code : 'INTERNAL', message, {
      retry: body.retry,
      ...(body.hint === undefined ? {} : { hint: visible(body.hint) }),
      ...(body.details === undefined ? {} : { details: body.details }),
    });
  }
}

/** A detail that fits `errorBodySchema`: an error must never fail to be told because of what it tells. */
function boundedDetail(value: ErrorDetail): string | number | boolean | null | string[] {
  if (typeof value === 'bigint') return value.toString().slice(0, 2_000);
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'string') return value.slice(0, 2_000);
  if (typeof value === 'boolean' || value === null) return value;
  return value.slice(0, 100).map((item) => item.slice(0, 500));
}

function visible(text: string): string {
  return text.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '\u{fffd}');
}

/** Anything thrown, as a `LatentError`. An abort becomes `CANCELLED`; anything unknown becomes `INTERNAL` with its cause. */
export function toLatentError(thrown: unknown): LatentError {
  if (thrown instanceof LatentError) return thrown;
  if (thrown instanceof Error && (thrown.name === 'AbortError' || thrown.name === 'TimeoutError')) {
    if (thrown.cause instanceof LatentError) return thrown.cause;
    return thrown.name === 'AbortError'
      ? new LatentError('CANCELLED', 'The operation was stopped.', { cause: thrown })
      : new LatentError('TIMED_OUT', 'The operation took longer than its limit.', { cause: thrown });
  }
  const text = thrown instanceof Error ? thrown.message : typeof thrown === 'string' ? thrown : 'unknown';
  return new LatentError('INTERNAL', text.split('\n')[0] ?? 'unknown', { cause: thrown });
}
