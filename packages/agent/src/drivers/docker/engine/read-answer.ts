import { LatentError } from '@latent/protocol';
import { z } from 'zod';
import type { EngineAnswer } from './call-engine.ts';
import { printable } from './printable.ts';

const complaintSchema = z.object({ message: z.string() });

/** The value in an answer of success. @throws LatentError DRIVER_FAILED with what the engine complains of. */
export function readAnswer<T>(answer: EngineAnswer, schema: z.ZodType<T>, what: string): T {
  refuseFailure(answer, what);
  const result = schema.safeParse(parseJson(answer.text));
  if (result.success) return result.data;
  const field = result.error.issues[0]?.path.join('.').slice(0, 100) ?? '';
  throw new LatentError('DRIVER_FAILED', `The container engine answered nonsense when asked to ${what}.`, {
    details: { field, status: answer.status },
    hint: 'Its version may be too old or too new; see the operator’s guide for those that are known to work.',
    cause: result.error,
  });
}

/** @throws LatentError DRIVER_FAILED unless the answer is one of success */
export function refuseFailure(answer: EngineAnswer, what: string): void {
  if (answer.status >= 200 && answer.status < 400) return;
  const complaint = complaintOf(answer);
  throw new LatentError('DRIVER_FAILED', `The container engine could not ${what}: ${complaint}.`, {
    details: { status: answer.status },
  });
}

/** Why the engine refuses, in its own words. */
export function complaintOf(answer: EngineAnswer): string {
  const parsed = complaintSchema.safeParse(parseJson(answer.text));
  return printable(parsed.success ? parsed.data.message : answer.text) || `status ${answer.status}`;
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
