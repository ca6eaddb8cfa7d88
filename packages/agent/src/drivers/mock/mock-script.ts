import { LatentError } from '@latent/protocol';
import { z } from 'zod';

/**
 * What a mock job does, instead of running its script. Set for all jobs by the driver's options, or for one by variables
 * of its environment, which win:
 *
 *   LATENT_MOCK_EXIT_AFTER_MS  ends by itself after so many milliseconds; without it, runs until it is stopped
 *   LATENT_MOCK_EXIT_CODE      and with this code (0)
 *   LATENT_MOCK_OUTPUT         what it has written from the start
 *   LATENT_MOCK_FAULTS         any of the faults, separated by commas
 */
export interface MockScript {
  readonly exitAfterMs?: number;
  readonly exitCode?: number;
  readonly output?: string;
  readonly faults?: readonly MockFault[];
}

/**
 * `fail-to-start`: start throws. `hang-in-start`: start takes until its signal is aborted. `ignore-stop`: SIGTERM does
 * nothing, so a stop takes the whole grace. `lose-output`: nothing of the output is kept. `vanish`: where it would end, it
 * is gone without a trace.
 */
export const mockFaults = ['fail-to-start', 'hang-in-start', 'ignore-stop', 'lose-output', 'vanish'] as const;
export type MockFault = (typeof mockFaults)[number];

const wholeNumber = z
  .string()
  .regex(/^\d{1,12}$/)
  .transform(Number);

const envSchema = z.object({
  LATENT_MOCK_EXIT_AFTER_MS: wholeNumber.optional(),
  LATENT_MOCK_EXIT_CODE: wholeNumber.pipe(z.number().max(255)).optional(),
  LATENT_MOCK_OUTPUT: z.string().optional(),
  LATENT_MOCK_FAULTS: z
    .string()
    .transform((text) => text.split(',').filter(Boolean))
    .pipe(z.array(z.enum(mockFaults)))
    .optional(),
});

export const mockScriptSchema = z.object({
  exitAfterMs: z.number().optional(),
  exitCode: z.number(),
  output: z.string(),
  faults: z.array(z.enum(mockFaults)),
});
export type FullMockScript = z.infer<typeof mockScriptSchema>;

/** @throws LatentError DRIVER_REFUSED for a variable that makes no sense. */
export function readMockScript(env: Readonly<Record<string, string>>, defaults: MockScript): FullMockScript {
  const parsed = envSchema.safeParse(env);
  if (!parsed.success) {
    const names = parsed.error.issues.map((issue) => issue.path.join('.'));
    throw new LatentError('DRIVER_REFUSED', `The mock driver does not understand ${names.join(', ')}.`, {
      hint: `The faults are ${mockFaults.join(', ')}; times and codes are whole numbers.`,
      cause: parsed.error,
    });
  }
  const exitAfterMs = parsed.data.LATENT_MOCK_EXIT_AFTER_MS ?? defaults.exitAfterMs;
  return {
    ...(exitAfterMs === undefined ? {} : { exitAfterMs }),
    exitCode: parsed.data.LATENT_MOCK_EXIT_CODE ?? defaults.exitCode ?? 0,
    output: parsed.data.LATENT_MOCK_OUTPUT ?? defaults.output ?? '',
    faults: parsed.data.LATENT_MOCK_FAULTS ?? [...(defaults.faults ?? [])],
  };
}
