import { LatentError } from '@latent/protocol';
import { z } from 'zod';
import type { PrepareOptions } from '../driver.ts';
import type { Engine } from './engine/open-engine.ts';
import { readAnswer } from './engine/read-answer.ts';
import { fullReference } from './image-reference.ts';
import { pullImage } from './pull-image.ts';
import type { RecentImages } from './recent-images.ts';

/** An image that the engine has. */
export interface ReadyImage {
  /** By which containers are made: the name could mean another image a moment later. */
  readonly id: string;
  /** Its PATH, where it sets one. */
  readonly path: string | undefined;
}

export interface ImageWish {
  /** What the job asks for. */
  readonly asked: string | undefined;
  /** What the operator lends to jobs that ask for none. */
  readonly lent: string | undefined;
  readonly recent: RecentImages;
}

const imageSchema = z.object({
  Id: z.string().regex(/^(sha256:)?[0-9a-f]{64}$/),
  Os: z.string().max(32).optional(),
  Config: z.object({ Env: z.array(z.string().max(200_000)).max(10_000).nullish() }).nullish(),
});

/**
 * The image of a job, fetched by the engine if need be. One that the renter names is asked of its registry, even if the engine
 * has it: images that lie on the operator's machine may be private, and knowing their name must not be enough to run them. So it is not
 * asked for again for some minutes, in which a job's steps get the very same image. The operator's own image is fetched only where it is
 * missing.
 * @throws LatentError DRIVER_REFUSED, IMAGE_*, DRIVER_FAILED, DRIVER_UNAVAILABLE, CANCELLED
 */
export async function readyImage(engine: Engine, wish: ImageWish, options: PrepareOptions): Promise<ReadyImage> {
  const { signal } = options;
  const lent = wish.lent === undefined ? undefined : fullReference(wish.lent);
  const reference = wish.asked === undefined ? lent : fullReference(wish.asked);
  if (reference === undefined) {
    throw new LatentError('DRIVER_REFUSED', 'The job names no image, and the operator lends none.', {
      hint: 'Name one in the job file, for instance `image_id: docker:debian:bookworm`, or set the agent’s option dockerImage.',
    });
  }
  const known = reference === lent ? reference : wish.recent.find(reference)?.id;
  const found = known === undefined ? undefined : await findImage(engine, known, signal);
  if (found !== undefined) return found;
  await pullImage(engine, reference, options);
  const pulled = await findImage(engine, reference, signal);
  if (pulled !== undefined) {
    wish.recent.keep(reference, pulled);
    return pulled;
  }
  throw new LatentError('DRIVER_FAILED', `The engine has fetched the image ${reference} and does not have it.`, {
    hint: 'The disk of the engine may be full.',
  });
}

/** Its labels and variables come back in every answer about a container of it, and those are bounded too. */
const maxDescriptionChars = 1 << 18;

/** @param name reference or id */
async function findImage(engine: Engine, name: string, signal: AbortSignal): Promise<ReadyImage | undefined> {
  const answer = await engine.ask(`/images/${encodeURIComponent(name)}/json`, signal);
  if (answer.status === 404) return undefined;
  if (answer.text.length > maxDescriptionChars) {
    throw new LatentError(
      'IMAGE_INVALID',
      `The image ${name} describes itself with ${answer.text.length} characters.`,
      {
        hint: `Take one with fewer labels and variables: at most ${maxDescriptionChars} characters are taken.`,
      },
    );
  }
  const { Id, Os, Config } = readAnswer(answer, imageSchema, 'describe an image');
  if (Os !== undefined && Os !== 'linux') {
    throw new LatentError('DRIVER_REFUSED', `The image ${name} is not one of Linux.`);
  }
  const path = Config?.Env?.find((one) => one.startsWith('PATH='))?.slice('PATH='.length);
  return { id: Id, path };
}
