import { LatentError } from '@latent/protocol';
import { fuzz, listFuzzTargets } from '@latent/transport/hostile';
import { answerAsked } from '../harness/start-process.ts';
import { type FuzzAsked, type FuzzTold, fuzzAskedSchema } from './notes.ts';

// Feeds hostile bytes to a parser, in a process that they may crash.

const targets = await listFuzzTargets();
answerAsked<FuzzAsked, FuzzTold | null>(fuzzAskedSchema, null, async ({ target, inputs, seed }) => {
  const found = targets.find(({ name }) => name === target);
  if (found === undefined) throw new LatentError('INTERNAL', `There is no target "${target}".`);
  const rssBytes = process.memoryUsage().rss;
  const result = await fuzz(found, { inputs, seed, nowMs: threadMs });
  return { ...result, crashes: [...result.crashes], rssBytes, peakRssBytes: process.resourceUsage().maxRSS * 1024 };
});

/** CPU time of this thread: what others on the machine take is no cost of an input. */
function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}
