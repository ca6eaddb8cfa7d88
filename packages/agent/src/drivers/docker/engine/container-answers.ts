import { z } from 'zod';
import type { Engine } from './open-engine.ts';
import { readAnswer, refuseFailure } from './read-answer.ts';

const idSchema = z.string().regex(/^[0-9a-f]{64}$/);

/** What an engine says of a container, as far as we ask. */
const containerSchema = z.object({
  Id: idSchema,
  Created: z.string().max(64),
  State: z.object({
    Status: z.string().max(32),
    Running: z.boolean(),
    ExitCode: z.int(),
    /** Podman leaves it false on cgroup v1. */
    OOMKilled: z.boolean().optional(),
    Error: z.string().optional(),
  }),
  Config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }),
});
export type Container = z.infer<typeof containerSchema>;

export const createdSchema = z.object({ Id: idSchema });

/** Undefined where there is none (any more). @param name or id */
export async function inspectContainer(engine: Engine, name: string): Promise<Container | undefined> {
  const answer = await engine.ask(`/containers/${name}/json`);
  return answer.status === 404 ? undefined : readAnswer(answer, containerSchema, 'describe a container');
}

/** How long Docker may be behind with the kernel's word that memory ran out. */
const HEARD_WITHIN_MS = 500;

/**
 * Whether Docker has heard that the container ran out of memory. What it notes at the end lacks that where the kernel's word came after the
 * end, and is never put right; its log of events has both, in whatever order. Podman has no such event on cgroup v1.
 * @throws LatentError DRIVER_UNAVAILABLE, DRIVER_FAILED
 */
export async function ranOutOfMemory(engine: Engine, { Id, Created }: Container, nowMs: number): Promise<boolean> {
  if (engine.kind !== 'docker') return false;
  const filters = JSON.stringify({ container: [Id], event: ['oom'] });
  const since = String(Math.floor((Date.parse(Created) || 0) / 1_000));
  const query = new URLSearchParams({ since, until: ((nowMs + HEARD_WITHIN_MS) / 1_000).toFixed(3), filters });
  const answer = await engine.ask(`/events?${query}`);
  refuseFailure(answer, 'say whether memory ran out');
  return answer.text.trim() !== '';
}

/** SIGKILL to the container's first process, by which all of it ends. Fine where it has ended or is gone. */
export async function killContainer(engine: Engine, name: string): Promise<void> {
  const answer = await engine.act('POST', `/containers/${name}/kill?signal=SIGKILL`);
  // 404: gone. 409: does not run; Podman says 500 for some of its states, and what counts is whether it has ended.
  if (answer.status === 404 || answer.status === 409) return;
  if (answer.status >= 500 && (await inspectContainer(engine, name))?.State.Running !== true) return;
  refuseFailure(answer, 'end a container');
}

/** Removes it and its anonymous volumes, whatever state it is in. Fine where it is gone. */
export async function removeContainer(engine: Engine, name: string): Promise<void> {
  // Podman would first ask a running one to end, for ten seconds.
  await killContainer(engine, name);
  const answer = await engine.act('DELETE', `/containers/${name}?force=true&v=true`);
  if (answer.status === 404) return;
  if (answer.status === 409 && (await isRemoved(engine, name))) return;
  refuseFailure(answer, 'remove a container');
}

/** Somebody else removes it at this moment. */
async function isRemoved(engine: Engine, name: string): Promise<boolean> {
  const answer = await engine.act('POST', `/containers/${name}/wait?condition=removed`);
  return answer.status === 404 || answer.status === 200;
}
