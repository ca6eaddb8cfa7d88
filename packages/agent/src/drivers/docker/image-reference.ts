import { DOCKER_HUB, parseImageName } from '../../images/parse-image-name.ts';

/**
 * The reference in full, as every engine understands it alike: `debian` becomes `docker.io/library/debian:latest`. Podman would
 * otherwise look in whatever registries its settings list. With a digest the tag is left out: it decides nothing.
 * @param reference of the form of `imageReferenceSchema`
 * @throws LatentError IMAGE_INVALID
 */
export function fullReference(reference: string): string {
  const { registry, repository, digest, tag } = parseImageName(reference);
  const name = `${registry === DOCKER_HUB ? 'docker.io' : registry}/${repository}`;
  return digest === undefined ? `${name}:${tag}` : `${name}@${digest}`;
}
