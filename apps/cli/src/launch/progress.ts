import { z } from 'zod';

/** What a job says of its own progress: any names, numbers or short texts. */
export type Progress = Readonly<Record<string, string | number>>;

const PREFIX = '::progress ';
const progressSchema = z
  .record(z.string().max(32), z.union([z.number(), z.string().max(64)]))
  .refine((fields) => Object.keys(fields).length <= 8);

/**
 * Reads a line `::progress {"epoch":3,"loss":0.12}`: any job may print such lines to be shown on the live screen.
 * Undefined for all other lines, and for those that do not fit.
 */
export function readProgress(line: string): Progress | undefined {
  if (!line.startsWith(PREFIX)) return undefined;
  try {
    const parsed = progressSchema.safeParse(JSON.parse(line.slice(PREFIX.length)));
    return parsed.success ? parsed.data : undefined;
  } catch {
    // Not JSON: an ordinary line.
    return undefined;
  }
}
