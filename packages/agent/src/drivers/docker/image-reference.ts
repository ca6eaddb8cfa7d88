/**
 * The reference in full, as every engine understands it alike: `debian` becomes `docker.io/library/debian:latest`. Podman would
 * otherwise look in whatever registries its settings list. With a digest the tag is left out: it decides nothing.
 * @param reference of the form of `imageReferenceSchema`
 */
export function fullReference(reference: string): string {
  const [rest = '', digest] = reference.split('@');
  const slash = rest.indexOf('/');
  const first = rest.slice(0, Math.max(0, slash));
  // What stands before the first slash is a registry only if it looks like an address.
  const named = /[.:]|^localhost$/.test(first);
  const place = named ? rest : `docker.io/${slash < 0 ? 'library/' : ''}${rest}`;
  const colon = place.indexOf(':', place.lastIndexOf('/'));
  const name = colon < 0 ? place : place.slice(0, colon);
  if (digest !== undefined) return `${name}@${digest}`;
  return `${name}${colon < 0 ? ':latest' : place.slice(colon)}`;
}
