import type { Clock } from '@latent/kit';
import type { ReadyImage } from './ready-image.ts';

/** Images that their registries have given to anybody a short while ago. */
export interface RecentImages {
  find(reference: string): ReadyImage | undefined;
  keep(reference: string, image: ReadyImage): void;
}

/** The steps of a job follow each other in less; and registries count how often one asks. */
const recentMs = 600_000;
const maxImages = 1_000;

export function createRecentImages(clock: Clock): RecentImages {
  const images = new Map<string, { readonly image: ReadyImage; readonly atMs: number }>();
  return {
    find(reference) {
      const found = images.get(reference);
      return found === undefined || clock.nowMs() - found.atMs > recentMs ? undefined : found.image;
    },
    keep(reference, image) {
      images.delete(reference);
      images.set(reference, { image, atMs: clock.nowMs() });
      const [oldest] = images.keys();
      if (images.size > maxImages && oldest !== undefined) images.delete(oldest);
    },
  };
}
