import { imageReferenceSchema, LatentError } from '@latent/protocol';

/** Where Docker Hub answers; people write `docker.io`. */
export const DOCKER_HUB = 'registry-1.docker.io';

/** An image's name, taken apart by the rules of `docker pull`. */
export interface ImageName {
  /** As it was written. */
  readonly written: string;
  /** Host, and port if one was written, of the registry to ask. */
  readonly registry: string;
  readonly repository: string;
  /** `sha256:` and 64 hex digits. Where it is given the tag does not count. */
  readonly digest: string | undefined;
  readonly tag: string;
}

/**
 * What comes before the first slash is a registry if it has a dot or a port, or is `localhost`; without one the registry is
 * Docker Hub, whose own images lie below `library/`.
 * @throws LatentError IMAGE_INVALID
 */
export function parseImageName(written: string): ImageName {
  if (!imageReferenceSchema.safeParse(written).success) {
    throw new LatentError('IMAGE_INVALID', `${JSON.stringify(written.slice(0, 100))} is not the name of an image.`, {
      hint: 'Write it as docker pull takes it, such as ghcr.io/org/name:tag.',
    });
  }
  const [named = '', digest] = written.split('@');
  const colon = named.lastIndexOf(':');
  const isTagged = colon > named.lastIndexOf('/');
  const path = isTagged ? named.slice(0, colon) : named;
  const tag = isTagged ? named.slice(colon + 1) : 'latest';
  const slash = path.indexOf('/');
  const first = path.slice(0, Math.max(slash, 0));
  if (!(first === 'localhost' || /[.:]/.test(first))) return onDockerHub(written, path, { digest, tag });
  const rest = path.slice(slash + 1);
  if (first === 'docker.io' || first === 'index.docker.io') return onDockerHub(written, rest, { digest, tag });
  return { written, registry: first.toLowerCase(), repository: rest, digest, tag };
}

function onDockerHub(written: string, path: string, version: Pick<ImageName, 'digest' | 'tag'>): ImageName {
  const repository = path.includes('/') ? path : `library/${path}`;
  return { written, registry: DOCKER_HUB, repository, ...version };
}
