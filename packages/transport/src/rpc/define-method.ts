import type { z } from 'zod';

/** Method names are short, as they travel with each call and end up in logs. */
export const MAX_METHOD_NAME_CHARS = 64;

/**
 * A method that peers can call: its name on the wire and what its params and result must look like. Both travel as JSON;
 * a `bigint` travels as a decimal string, which is what `uintSchema` of the protocol reads.
 */
export interface Method<
  Kind extends 'call' | 'stream' = 'call' | 'stream',
  Params extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
> {
  readonly name: string;
  /** `call`: one result. `stream`: after the result both sides may go on sending until they end. */
  readonly kind: Kind;
  readonly params: Params;
  readonly result: Result;
}

/** Defines a method; the types of callers and handlers follow from it. */
export function defineMethod<Kind extends 'call' | 'stream', Params extends z.ZodType, Result extends z.ZodType>(
  method: Method<Kind, Params, Result>,
): Method<Kind, Params, Result> {
  return method;
}
