import { errorBodySchema, LatentError } from '@latent/protocol';
import { z } from 'zod';
import { parseJson } from '../files/read-json-file.ts';

const eventSchema = z.object({ event: z.string() });
const failedSchema = z.object({ error: errorBodySchema });

/**
 * Looks for the line `{"event":"ready", …}` in what a program has printed so far; its fields are parsed by `schema`.
 * @returns undefined as long as it is not there
 * @throws ZodError when the line is there but does not fit
 */
export function findReadyLine<Schema extends z.ZodType>(printed: string, schema: Schema): z.output<Schema> | undefined {
  const line = findEvent(printed, 'ready');
  return line === undefined ? undefined : schema.parse(line);
}

/** The error of the line `{"event":"failed","error":{…}}`, with which our programs say why they could not start. */
export function findFailedLine(printed: string): LatentError | undefined {
  const failed = failedSchema.safeParse(findEvent(printed, 'failed'));
  return failed.success ? LatentError.fromBody(failed.data.error) : undefined;
}

/** The first whole line that is a JSON object with this `event`. */
function findEvent(printed: string, event: string): unknown {
  for (const line of printed.slice(0, printed.lastIndexOf('\n') + 1).split('\n')) {
    const json = parseJson(line)?.value;
    if (eventSchema.safeParse(json).data?.event === event) return json;
  }
  return undefined;
}
