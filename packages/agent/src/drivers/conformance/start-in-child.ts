import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { Driver, JobSpec } from '../driver.ts';

/**
 * Run as a program: starts a job with the driver of a module, prints its handle, and stays until it is killed.
 * Arguments: path of a module that exports `create(): Driver`, and the job's spec in JSON.
 */
const isModule = (value: unknown): value is { create(): Driver } =>
  typeof value === 'object' && value !== null && 'create' in value && typeof value.create === 'function';
const isSpec = (value: unknown): value is JobSpec => z.object({ jobId: z.string() }).safeParse(value).success;

const [path = '', text = ''] = process.argv.slice(2);
const module: unknown = await import(pathToFileURL(path).href);
const spec: unknown = JSON.parse(text);
if (!isModule(module) || !isSpec(spec)) throw new Error('arguments: <module> <spec>');
const handle = await module.create().start(spec, { signal: AbortSignal.timeout(30_000) });
process.stdout.write(`${JSON.stringify(handle)}\n`);
setInterval(() => undefined, 60_000);
