import { LatentError } from '@latent/protocol';
import { z } from 'zod';
import type { Engine } from './open-engine.ts';
import { readAnswer, refuseFailure } from './read-answer.ts';

const createdSchema = z.object({ Id: z.string().regex(/^[0-9a-f]{64}$/) });
const execSchema = z.object({ Running: z.boolean(), ExitCode: z.int().nullish() });

export interface ExecPlan {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly user: string;
  readonly workdir: string;
  /** Whether somebody will read and write its streams. */
  readonly attached: boolean;
}

/** Id of a command that waits to be started in the container. @throws LatentError MEMBER_NOT_STARTED, DRIVER_FAILED, DRIVER_UNAVAILABLE */
export async function createExec(engine: Engine, container: string, plan: ExecPlan): Promise<string> {
  const body = {
    Cmd: plan.argv,
    Env: Object.entries(plan.env).map(([name, value]) => `${name}=${value}`),
    User: plan.user,
    WorkingDir: plan.workdir,
    ...{ AttachStdin: plan.attached, AttachStdout: plan.attached, AttachStderr: plan.attached, Tty: false },
  };
  const answer = await engine.act('POST', `/containers/${container}/exec`, body, engine.limits.askMs);
  if (answer.status === 404 || answer.status === 409) throw notRunning();
  return readAnswer(answer, createdSchema, 'make a command').Id;
}

/** Starts a command whose streams are nobody's. */
export async function startDetached(engine: Engine, exec: string): Promise<void> {
  const answer = await engine.act('POST', `/exec/${exec}/start`, { Detach: true, Tty: false }, engine.limits.askMs);
  refuseFailure(answer, 'start a command');
}

/** Its exit status, or nothing while it runs. @throws LatentError */
export async function execExit(engine: Engine, exec: string): Promise<number | undefined> {
  const { Running, ExitCode } = readAnswer(await engine.ask(`/exec/${exec}/json`), execSchema, 'describe a command');
  return Running ? undefined : (ExitCode ?? undefined);
}

export function notRunning(): LatentError {
  return new LatentError('MEMBER_NOT_STARTED', 'The container of the job does not run.');
}
