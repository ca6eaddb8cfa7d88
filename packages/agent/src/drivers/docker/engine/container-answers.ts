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
